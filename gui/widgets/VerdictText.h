#pragma once

#include "core/trial/RunResult.h"

#include <QString>
#include <QVector>

/// The words of a verdict's card; no widgets.
namespace loadlab::verdict_text {

/// What lookOf() takes of its verdict's mode, as shownMode(); without a verdict "unknown".
QString modeOf(const RunResult& result);
/// "proven by the kernel", "the worker's own error": from the source of the strongest fact.
QString basisOfConfidence(const Verdict& verdict);
/// "0.99"
QString confidence(double confidence);
/// "Run 7 · qwen2.5-0.5b · libtorch · float32 · cpu"; without a run number "Not stored".
QString subject(const RunResult& result);
/// "transformers · auto · cuda"
QString variantWords(const Variant& variant);
/// "Worked in runs 4, 7" or "From a rule".
QString basisOf(const Remedy& remedy);
/// "exit code 1", "signal 9 (SIGKILL)", "no exit status"
QString ending(const RunResult& result);

/// "kept by the cgroup", "not kept"; of a run that was lost before it was told: "kept by what is not known". A cgroup
/// does not keep it for the processes that left it (as HostTraces::outsideGroup names them): "kept by the cgroup; pid
/// 4711 (python3) and 2 more left it".
QString keptBy(const std::string& by, const std::optional<std::vector<std::string>>& outside);

/// One setting that a remedy changes.
struct Change {
    QString setting; ///< "dtype", "talker"
    QString before; ///< As the run had it; "–" when it was not set.
    QString after;
};
/// Of the remedy's change against the run's variant, without what it had already; empty when there is nothing to set.
QVector<Change> changes(const Remedy& remedy, const Variant& variant);

/// A read-out of the card: "Peak of the tree", "94.7 GiB", "RSS 96.1 GiB".
struct Figure {
    QString name;
    QString value;
    QString remark;
};
QVector<Figure> figuresOf(const RunResult& result);

} // namespace loadlab::verdict_text
