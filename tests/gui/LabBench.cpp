#include "LabBench.h"

#include "core/checkpoint/DemoZoo.h"

#include <QtGlobal>

using namespace loadlab;
namespace fs = std::filesystem;

LabBench::LabBench()
    : m_temporary(std::in_place)
    , m_folder(m_temporary->path().toStdString())
{
    open();
}

LabBench::LabBench(const fs::path& folder)
    : m_folder(folder)
{
    open();
}

void LabBench::open()
{
    // Whatever the caller's environment says: nothing of this user's own is read or written.
    qputenv("LOADLAB_PLUGIN_PATH", LOADLAB_BINARY_DIR "/tests/plugins");
    qputenv("HF_HUB_CACHE", (m_folder / "no-hub").c_str());
    qunsetenv("LOADLAB_RESOURCES");
    fs::path database = folder() / "runs.sqlite";
    if (qEnvironmentVariableIsSet("LOADLAB_SHOTS")) {
        // Pictures show the paths of a person's home, not those of a temporary folder.
        qputenv("HOME", m_folder.c_str());
        qunsetenv("XDG_DATA_HOME");
        qunsetenv("LOADLAB_DB");
        database = defaultDatabase();
        fs::create_directories(database.parent_path());
    }
    m_lab = openLab(Locations::ofProgramsIn(LOADLAB_BINARY_DIR "/bin"), database, folder() / "settings.json");
}

fs::path LabBench::demoZoo()
{
    DemoZooOptions small;
    small.goodSizeBytes = goodSizeBytes;
    const Result<std::vector<fs::path>> made = makeDemoZoo(folder() / "zoo", small);
    if (!made)
        qFatal("%s", made.error().message.c_str());
    return made->front();
}

TrialSpec LabBench::fakeTrial(const std::string& mode, std::map<std::string, std::string> options)
{
    TrialSpec spec;
    const PluginManifest* plugin = m_lab.findPlugin("fake");
    if (!plugin)
        qFatal("the fake backend is not built");
    spec.plugin = *plugin;
    spec.checkpoint = demoZoo();
    spec.variant.backend = "fake";
    spec.variant.options = std::move(options);
    spec.variant.options["mode"] = mode;
    return spec;
}
