#pragma once

#include "tests/cli/Cli.h"

#include <QDir>
#include <QFile>

using Line = std::vector<std::string>;

/// Every name that docs/CLI.md promises of a finished run.
inline const QStringList kPromised{"run", "uuid", "checkpoint.path", "checkpoint.name", "checkpoint.family",
    "checkpoint.fingerprint", "variant.backend", "variant.environment", "variant.dtype", "variant.device_map",
    "variant.max_memory", "variant.options", "mode", "confidence", "summary", "evidence", "remedies", "exit.code",
    "exit.signal", "started_utc", "duration_s", "memory.peak_tree_bytes", "memory.peak_rss_bytes", "memory.hwm_bytes",
    "memory.peak_swap_bytes", "memory.peak_gpu_bytes", "memory.baseline_available_bytes", "memory.predicted_peak_bytes",
    "memory.projected_need_bytes", "memory.swap_began_s", "cap.memory_bytes", "cap.kept_by", "containment", "phases",
    "progress.unit", "progress.done", "progress.total", "loaded.parameters", "loaded.dtypes", "loaded.devices",
    "samples.count", "samples.rate_hz", "environment"};

inline QStringList missingNames(const QJsonObject& run, const QStringList& promised)
{
    QStringList missing;
    for (const QString& name : promised) {
        const QStringList parts = name.split('.');
        const bool there = parts.size() == 1 ? run.contains(name) : run[parts[0]].toObject().contains(parts[1]);
        if (!there)
            missing.append(name);
    }
    return missing;
}

/// The smallest whole checkpoint: one tensor of four floats.
inline std::string makeTiny(const CliLab& lab, const std::string& name = "tiny")
{
    const std::string folder = lab.path(name);
    QDir().mkpath(QFile::decodeName(folder.c_str()));
    QFile config(QFile::decodeName((folder + "/config.json").c_str()));
    (void)config.open(QIODevice::WriteOnly);
    config.write("{\"model_type\": \"none\", \"architectures\": [\"None\"]}");
    const QByteArray header = R"({"w":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}   )";
    QFile weights(QFile::decodeName((folder + "/model.safetensors").c_str()));
    (void)weights.open(QIODevice::WriteOnly);
    QByteArray length(8, '\0');
    length[0] = static_cast<char>(header.size());
    weights.write(length + header + QByteArray(16, '\0'));
    return folder;
}

inline Line fake(const std::string& checkpoint, const Line& options, const Line& more = {})
{
    Line line{"run", checkpoint, "--backend", "fake"};
    for (const std::string& option : options)
        line.insert(line.end(), {"--option", option});
    line.insert(line.end(), more.begin(), more.end());
    return line;
}
