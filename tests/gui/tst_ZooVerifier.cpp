#include "Shots.h"
#include "WindowBench.h"
#include "gui/models/ZooModel.h"
#include "gui/pages/ZooPage.h"

#include <QCryptographicHash>
#include <QDir>
#include <QLabel>
#include <QPushButton>
#include <QStatusBar>
#include <QTest>
#include <QTreeView>

#include <fstream>

using namespace loadlab;

/// Reading all of a checkpoint, from the Zoo page of the real window.
class TestZooVerifier : public QObject {
    Q_OBJECT

    std::unique_ptr<WindowBench> m_bench;

    MainWindow& window() const { return m_bench->window(); }
    std::filesystem::path zoo() const { return m_bench->bench().folder() / "models"; }

    static std::string tensorFile(std::uint64_t elements)
    {
        const std::string header = R"({"w":{"dtype":"U8","shape":[)" + std::to_string(elements)
            + R"(],"data_offsets":[0,)" + std::to_string(elements) + "]}}";
        std::string bytes(8, '\0');
        bytes[0] = static_cast<char>(header.size());
        return bytes + header;
    }

    static void write(const std::filesystem::path& file, const std::string& bytes)
    {
        std::filesystem::create_directories(file.parent_path());
        std::ofstream(file, std::ios::binary) << bytes;
    }

    /// A repo of a hub cache whose blob may have lost a byte: every header agrees all the same.
    void makeHub(bool whole)
    {
        const std::filesystem::path repo = zoo() / "models--org--tiny";
        std::string weights = tensorFile(16) + std::string(16, '\7');
        const std::string name
            = QCryptographicHash::hash(QByteArray::fromStdString(weights), QCryptographicHash::Sha256)
                  .toHex()
                  .toStdString();
        if (!whole)
            weights.back() = '\6';
        write(repo / "blobs" / name, weights);
        write(repo / "refs" / "main", "abc");
        write(repo / "snapshots" / "abc" / "config.json", R"({"model_type": "qwen2"})");
        std::filesystem::create_symlink("../../blobs/" + name, repo / "snapshots" / "abc" / "model.safetensors");
    }

    /// More than any machine reads during a test, and no space on disk.
    void makeHuge()
    {
        constexpr std::uint64_t bytes = std::uint64_t{1} << 42;
        const std::filesystem::path file = zoo() / "huge" / "model.safetensors";
        const std::string head = tensorFile(bytes);
        write(file, head);
        std::filesystem::resize_file(file, bytes + head.size());
    }

    void select()
    {
        m_bench->bench().lab().zooFolders = {zoo()};
        m_bench->open();
        QTRY_COMPARE(window().zoo().model().checkpoints().size(), std::size_t{1});
        QTRY_VERIFY(!window().zoo().isScanning());
        window().zooPage().select(window().zoo().model().checkpoints().front()->path);
        QVERIFY(window().zooPage().selected());
    }

    void startReadingTheHugeOne()
    {
        makeHuge();
        select();
        m_bench->click(QStringLiteral("verifyButton"));
        QTRY_VERIFY(window().zoo().verifier().progress().doneBytes > 0);
    }

private Q_SLOTS:
    void init() { m_bench = std::make_unique<WindowBench>(); }
    void cleanup() { m_bench.reset(); }

    void aLostByteIsFoundAndSaid()
    {
        makeHub(false);
        select();
        const CheckpointState before = window().zooPage().selected()->state;
        QVERIFY(before != CheckpointState::Corrupt);
        m_bench->click(QStringLiteral("verifyButton"));
        QTRY_COMPARE(window().zooPage().selected()->state, CheckpointState::Corrupt);
        QVERIFY(m_bench->visibleText().contains(QStringLiteral("its content has SHA-256")));
        QVERIFY(m_bench->visibleText().contains(QStringLiteral("very byte was read: 2 files")));
        QVERIFY(m_bench->find<QPushButton>(QStringLiteral("verifyButton")).isEnabled());
        QVERIFY(!window().findChild<QPushButton*>(QStringLiteral("cancelVerifyButton"))->isVisible());
        // Again, and nothing is told twice.
        const std::size_t problems = window().zooPage().selected()->problems.size();
        m_bench->press(QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_V));
        QVERIFY(window().zoo().verifier().checkpoint());
        QTRY_VERIFY(!window().zoo().verifier().checkpoint());
        QCOMPARE(window().zooPage().selected()->problems.size(), problems);
        window().zoo().rescan();
        QTRY_COMPARE(window().zooPage().selected()->state, before);
    }

    void aWholeOneStaysWhatItWas()
    {
        makeHub(true);
        select();
        const CheckpointState before = window().zooPage().selected()->state;
        m_bench->click(QStringLiteral("verifyButton"));
        QTRY_VERIFY(m_bench->visibleText().contains(QStringLiteral("1 compared with the hub's SHA-256")));
        QCOMPARE(window().zooPage().selected()->state, before);
    }

    void tellsHowFarItIsAndStopsWhenAsked()
    {
        startReadingTheHugeOne();
        QTRY_VERIFY(m_bench->labelText(QStringLiteral("verifyWords")).contains(QStringLiteral(" left")));
        QVERIFY2(m_bench->labelText(QStringLiteral("verifyWords")).contains(QStringLiteral(" of 4096 GiB, ")),
            qPrintable(m_bench->labelText(QStringLiteral("verifyWords"))));
        window().resize(1440, 900);
        shots::keep(QStringLiteral("zoo-verifying"), window());
        QVERIFY(!m_bench->find<QPushButton>(QStringLiteral("verifyButton")).isEnabled());
        const auto before = window().zooPage().selected();
        m_bench->click(QStringLiteral("cancelVerifyButton"));
        QVERIFY(!window().zoo().verifier().checkpoint());
        QVERIFY(m_bench->labelText(QStringLiteral("verifyWords")).isEmpty());
        QVERIFY(m_bench->find<QPushButton>(QStringLiteral("verifyButton")).isEnabled());
        QCOMPARE(window().zooPage().selected(), before);
    }

    void closingTheWindowEndsIt()
    {
        startReadingTheHugeOne();
        QVERIFY(window().close());
        m_bench->close(); // Would last for hours.
    }

    void whatIsGoneIsSaid()
    {
        makeHub(true);
        select();
        std::filesystem::remove_all(zoo());
        m_bench->click(QStringLiteral("verifyButton"));
        QTRY_VERIFY(!window().zoo().verifier().checkpoint());
        QVERIFY(!window().statusBar()->currentMessage().isEmpty());
    }
};

QTEST_MAIN(TestZooVerifier)
#include "tst_ZooVerifier.moc"
