#include "core/Settings.h"

#include <QTemporaryDir>
#include <QTest>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <sys/stat.h>
#include <thread>

using namespace loadlab;
namespace fs = std::filesystem;

class TestSettings : public QObject {
    Q_OBJECT

    QTemporaryDir m_folder;
    fs::path m_file;

    void write(const std::string& text) const { std::ofstream(m_file) << text; }
    [[nodiscard]] std::string text() const
    {
        std::stringstream all;
        all << std::ifstream(m_file).rdbuf();
        return all.str();
    }

private Q_SLOTS:
    void init()
    {
        static int count = 0;
        m_file = fs::path(m_folder.path().toStdString()) / std::to_string(++count) / "loadlab" / "settings.json";
    }

    void givesDefaultsWhereThereIsNoFile()
    {
        const auto settings = loadSettings(m_file);
        QVERIFY(settings);
        QVERIFY(settings->zooFolders.empty());
        QVERIFY(!fs::exists(m_file.parent_path()));
    }

    void keepsFoldersAndTheirOrder()
    {
        const SharedSettings wanted{{"/models/b", "/models/a"}};
        QVERIFY(changeSettings(m_file, [&](SharedSettings& settings) { settings = wanted; }));
        const auto loaded = loadSettings(m_file);
        QVERIFY(loaded);
        QVERIFY(*loaded == wanted);
        QCOMPARE(nlohmann::json::parse(text()).at("zoo_folders").dump(), std::string(R"(["/models/b","/models/a"])"));
    }

    void keepsFolderNamesThatAreNoUtf8()
    {
        const fs::path odd("/models/\xff\xfe");
        QVERIFY(changeSettings(m_file, [&](SharedSettings& settings) { settings.zooFolders = {odd}; }));
        const auto loaded = loadSettings(m_file);
        QVERIFY(loaded);
        QCOMPARE(loaded->zooFolders.at(0).native(), odd.native());
    }

    void keepsKeysItDoesNotKnow()
    {
        fs::create_directories(m_file.parent_path());
        write(R"({"later": {"a": 1}, "zoo_folders": ["/x"]})");
        QVERIFY(changeSettings(m_file, [](SharedSettings& settings) { settings.zooFolders.emplace_back("/y"); }));
        const auto object = nlohmann::json::parse(text());
        QCOMPARE(object.at("later").dump(), std::string(R"({"a":1})"));
        QCOMPARE(object.at("zoo_folders").size(), std::size_t{2});
    }

    void namesAFolderOnce()
    {
        fs::create_directories(m_file.parent_path());
        write(R"({"zoo_folders": ["/x", "/y", "/x"]})");
        QCOMPARE(loadSettings(m_file)->zooFolders.size(), std::size_t{2});
    }

    void refusesWhatItCannotUnderstandAndLeavesIt_data()
    {
        QTest::addColumn<QByteArray>("content");
        QTest::newRow("no json") << QByteArray("zoo = /x");
        QTest::newRow("array") << QByteArray("[1]");
        QTest::newRow("folders no array") << QByteArray(R"({"zoo_folders": "x"})");
        QTest::newRow("number") << QByteArray(R"({"zoo_folders": [7]})");
        QTest::newRow("relative") << QByteArray(R"({"zoo_folders": ["models"]})");
        QTest::newRow("bad hex") << QByteArray(R"({"zoo_folders": [{"hex": "zz"}]})");
    }
    void refusesWhatItCannotUnderstandAndLeavesIt()
    {
        QFETCH(QByteArray, content);
        fs::create_directories(m_file.parent_path());
        write(content.toStdString());
        const auto loaded = loadSettings(m_file);
        QVERIFY(!loaded);
        QCOMPARE(loaded.error().kind, ErrorKind::Invalid);
        QVERIFY(loaded.error().message.find(m_file.native()) != std::string::npos);
        QVERIFY(!changeSettings(m_file, [](SharedSettings& settings) { settings.zooFolders.emplace_back("/y"); }));
        QCOMPARE(text(), content.toStdString());
    }

    void doesNotWaitForAFifo()
    {
        fs::create_directories(m_file.parent_path());
        QCOMPARE(::mkfifo(m_file.c_str(), 0600), 0);
        QCOMPARE(loadSettings(m_file).error().kind, ErrorKind::Invalid);
    }

    void tellsWhyItCannotWrite()
    {
        fs::create_directories(m_file.parent_path().parent_path());
        std::ofstream(m_file.parent_path()) << "a file where the folder should be";
        const auto changed = changeSettings(m_file, [](SharedSettings&) {});
        QVERIFY(!changed);
        QCOMPARE(changed.error().kind, ErrorKind::Io);
        QVERIFY(changed.error().message.find("settings.json") != std::string::npos);
    }

    void losesNoChangeOfTwoWritersAtOnce()
    {
        const auto addTen = [this](const char* root) {
            for (int i = 0; i < 10; ++i)
                static_cast<void>(changeSettings(m_file,
                    [&](SharedSettings& settings) { settings.zooFolders.emplace_back(root + std::to_string(i)); }));
        };
        std::jthread one([&] { addTen("/one/"); });
        std::jthread two([&] { addTen("/two/"); });
        one.join();
        two.join();
        QCOMPARE(loadSettings(m_file)->zooFolders.size(), std::size_t{20});
    }
};

QTEST_GUILESS_MAIN(TestSettings)
#include "tst_Settings.moc"
