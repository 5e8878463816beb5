#include "Shots.h"
#include "core/curve/CurveText.h"
#include "gui/charts/ChartExport.h"
#include "gui/charts/MemoryChart.h"
#include "gui/charts/RenderJob.h"
#include "gui/widgets/ThemeHolder.h"

#include <QBuffer>
#include <QMimeData>
#include <QPainter>
#include <QRegularExpression>
#include <QSvgGenerator>
#include <QSvgRenderer>
#include <QXmlStreamReader>
#include <QtTest>

#include <csignal>
#include <nlohmann/json.hpp>
#include <sys/resource.h>
#include <sys/stat.h>

using namespace loadlab;

namespace {

ChartDocument killed()
{
    return makeDocument(shots::killedRun(), shots::killedCurve(), 122ULL << 30, QStringLiteral("Jetson AGX Thor"));
}

/// The chart as it stands in the window, with its cursor.
QByteArray drawn(MemoryChart& chart)
{
    QByteArray bytes;
    QBuffer buffer(&bytes);
    QSvgGenerator svg;
    svg.setOutputDevice(&buffer);
    svg.setSize(chart.size());
    QPainter painter(&svg);
    chart.render(painter, QRectF(QPointF(), QSizeF(chart.size())));
    painter.end();
    return bytes;
}

/// All words of an SVG; empty when it is no XML.
QString wordsOf(const QByteArray& svg)
{
    QXmlStreamReader xml(svg);
    QString words;
    while (!xml.atEnd()) {
        xml.readNext();
        if (xml.isCharacters())
            words += xml.text().toString() + u'\n';
    }
    return xml.hasError() ? QString() : words;
}

/// Where the text that begins like this stands; NaN when there is none. No transform but moves is looked at.
double baselineOf(const QByteArray& svg, const QString& beginning)
{
    QXmlStreamReader xml(svg);
    double moved = 0;
    while (xml.readNextStartElement() || !xml.atEnd()) {
        if (!xml.isStartElement())
            continue;
        const QString matrix = xml.attributes().value(QStringLiteral("transform")).toString();
        if (xml.name() == QStringLiteral("g") && matrix.startsWith(QStringLiteral("matrix(")))
            moved = matrix.section(u',', -1).chopped(1).toDouble();
        if (xml.name() != QStringLiteral("text"))
            continue;
        const double y = xml.attributes().value(QStringLiteral("y")).toDouble();
        if (xml.readElementText().startsWith(beginning))
            return y + moved;
    }
    return qQNaN();
}

int colors(const QImage& image)
{
    QSet<QRgb> seen;
    for (int y = 0; y < image.height(); y += 3)
        for (int x = 0; x < image.width(); x += 3)
            seen.insert(image.pixel(x, y));
    return static_cast<int>(seen.size());
}

QByteArray contentOf(const QString& name)
{
    QFile file(name);
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

nlohmann::json jobFor(const QString& out)
{
    return {{"out", out.toStdString()}, {"run", toJson(shots::killedRun())},
        {"machine", {{"name", "Jetson AGX Thor"}, {"memory_bytes", 122LL << 30}}},
        {"curve", nlohmann::json::parse(toJsonText(*shots::killedCurve()))}};
}

} // namespace

class tst_ChartExport : public QObject {
    Q_OBJECT

private:
    QTemporaryDir m_folder;

    QString inFolder(const char* name) { return m_folder.filePath(QLatin1String(name)); }
    QString jobFile(const std::string& text)
    {
        QFile file(inFolder("job.json"));
        if (!file.open(QIODevice::WriteOnly | QIODevice::Truncate) || file.write(QByteArray::fromStdString(text)) < 0)
            qFatal("cannot write the job");
        return file.fileName();
    }

private Q_SLOTS:
    void initTestCase()
    {
        QLocale::setDefault(QLocale::c());
        QVERIFY(m_folder.isValid());
    }

    void pngHasItsSizeAndItsWords()
    {
        for (const double scale : {1.0, 2.0}) {
            ExportOptions options;
            options.scale = scale;
            const QString file = inFolder("run7.png");
            QVERIFY(exportDocument(killed(), file, options));
            const QImage image(file);
            QCOMPARE(image.size(), QSize(960, 620) * scale);
            QVERIFY(colors(image) > 20);
            QCOMPARE(image.text(QStringLiteral("Title")), QStringLiteral("Run 7 · qwen3-omni-30b"));
            QVERIFY(image.text(QStringLiteral("Description")).contains(QStringLiteral("20.0 Hz, 1,101 samples")));
            QCOMPARE(image.pixelColor(2, 2), QColor(Qt::white));
            shots::keep(QStringLiteral("export-%1x").arg(scale), image);
        }
    }

    void twiceTheScaleIsTwiceTheDetail()
    {
        ExportOptions options;
        const QImage once = renderImage(killed(), options);
        options.scale = 2;
        const QImage twice = renderImage(killed(), options);
        QVERIFY(twice.scaled(once.size(), Qt::IgnoreAspectRatio, Qt::SmoothTransformation) != once);
        QVERIFY(colors(twice) >= colors(once));
    }

    void exportsAreLightWhateverTheWindowIs()
    {
        qApp->setPalette(Theme::dark().palette());
        const QImage image = renderImage(killed());
        qApp->setPalette(Theme::light().palette());
        QCOMPARE(image.pixelColor(2, 2), QColor(Qt::white));
        QCOMPARE(image, renderImage(killed()));
    }

    void theSourceNamesWhatWasRead()
    {
        RunResult run = shots::killedRun();
        run.counters = {{Column::AnonBytes, "/proc/PID/status RssAnon", 20.0, {}},
            {Column::FileBytes, "/proc/PID/status RssFile", 20.0, {}}, {Column::GpuBytes, "NVML", {}, "no library"},
            {Column::CgroupUsageBytes, "cgroup/memory.current", 20.0, {}}};
        const QString source = makeDocument(run, shots::killedCurve(), 122ULL << 30, {}).source;
        QVERIFY2(source.endsWith(QStringLiteral("counters: /proc of the process tree, the run's cgroup")),
            qPrintable(source));
    }

    void svgKeepsItsWordsAsText()
    {
        ExportOptions options;
        options.format = ExportFormat::Svg;
        const QString file = inFolder("run7.svg");
        QVERIFY(exportDocument(killed(), file, options));
        const QByteArray svg = contentOf(file);
        const QString words = wordsOf(svg);
        for (const char* expected : {"Run 7 · qwen3-omni-30b", "transformers · auto · cuda", "Jetson AGX Thor",
                 "counters: /proc", "GiB", "Limit 122 GiB, all memory", "Silent initialisation", "1.20 GiB/s",
                 "Host OOM, killed at 55.0 s", "Resident", "Disk read"})
            QVERIFY2(words.contains(QString::fromUtf8(expected)), expected);
        QVERIFY(svg.contains("<text"));
        QSvgRenderer renderer(svg);
        QVERIFY(renderer.isValid());
        QCOMPARE(renderer.viewBox(), QRect(0, 0, 960, 620));
        QImage drawn(QSize(960, 620), QImage::Format_RGB32);
        drawn.fill(Qt::white);
        QPainter painter(&drawn);
        renderer.render(&painter);
        painter.end();
        QVERIFY(colors(drawn) > 20);
        shots::keep(QStringLiteral("export-svg"), drawn);
    }

    void theCursorTellsTheRatesAndWhereThereIsNone()
    {
        const ThemeHolder holder(Theme::light());
        MemoryChart chart(holder);
        chart.resize(900, 600);
        chart.setDocument(makeDocument(shots::loadedRun(), shots::loadedCurve()));
        chart.show();
        chart.flush();
        chart.setCursor(0);
        QCOMPARE(wordsOf(drawn(chart)).count(QStringLiteral("\n–\n")), 3);
        chart.setCursor(2);
        const QString later = wordsOf(drawn(chart));
        QVERIFY2(!later.contains(QStringLiteral("\n–\n")), qPrintable(later));
        QVERIFY(later.contains(QStringLiteral(" cores\n")));
    }

    void theVerdictStandsAboveTheCurveWhereThereIsRoom()
    {
        const ThemeHolder holder(Theme::light());
        MemoryChart chart(holder);
        chart.resize(900, 500);
        chart.show();
        for (double peak = 1; peak < 2; peak += 0.02) {
            const auto curve = shots::curve(3, 20, [&](double t, Sample& sample) {
                sample[Column::AnonBytes] = std::llround(t / 3 * peak * shots::kGiB);
                sample[Column::TreeBytes] = sample[Column::AnonBytes];
            });
            chart.setDocument(makeDocument(shots::loadedRun(), curve));
            chart.flush();
            const double y = baselineOf(drawn(chart), QStringLiteral("Loaded, peak"));
            QVERIFY2(y > chart.plotRect().top() && y < chart.Y(peak * shots::kGiB), qPrintable(QString::number(peak)));
        }
    }

    void nothingInTheSvgLeavesThePicture()
    {
        // Qt writes no clip into SVG: what is outside the plot must not be in the file at all.
        ExportOptions options;
        options.format = ExportFormat::Svg;
        const QByteArray svg = renderSvg(killed(), options);
        static const QRegularExpression point(QStringLiteral("[ML](-?[\\d.]+),(-?[\\d.]+)"));
        int points = 0;
        for (auto matches = point.globalMatch(QString::fromUtf8(svg)); matches.hasNext(); ++points) {
            const QRegularExpressionMatch match = matches.next();
            const QPointF at(match.captured(1).toDouble(), match.captured(2).toDouble());
            QVERIFY2(QRectF(-1, -1, 962, 622).contains(at), qPrintable(match.captured()));
        }
        QVERIFY(points > 500);
    }

    void csvHasARowPerSample()
    {
        ExportOptions options;
        options.format = ExportFormat::Csv;
        const QString file = inFolder("run7.csv");
        QVERIFY(exportDocument(killed(), file, options));
        const QList<QByteArray> lines = contentOf(file).trimmed().split('\n');
        QCOMPARE(lines.size(), 1 + 1101);
        QVERIFY(lines[0].startsWith("t_s,anon_bytes,file_bytes"));
        QVERIFY(lines[1101].startsWith("55.000000,"));
    }

    void csvKeepsThePointInEveryLocale()
    {
        const QByteArray here = renderCsv(killed());
        QLocale::setDefault(QLocale(QLocale::German));
        QCOMPARE(renderCsv(killed()), here);
        QLocale::setDefault(QLocale::c());
    }

    void jsonHasRunAndSamples()
    {
        const QByteArray text = renderJson(killed());
        const auto json = nlohmann::json::parse(text.begin(), text.end());
        QCOMPARE(json["run"].get<int>(), 7);
        QCOMPARE(json["mode"].get<std::string>(), std::string("host_oom_killed"));
        QCOMPARE(json["curve"]["rows"].size(), std::size_t{1101});
        QVERIFY(curveFromJson(json["curve"]));
        auto run = json;
        run.erase("curve");
        QCOMPARE(run.dump(), toJson(shots::killedRun()).dump());
    }

    void anEmptyRunIsExportedToo()
    {
        ChartDocument document;
        QVERIFY(colors(renderImage(document)) > 2);
        QVERIFY(QSvgRenderer(renderSvg(document)).isValid());
        QCOMPARE(renderCsv(document).count('\n'), 1);
        const auto json = nlohmann::json::parse(renderJson(document).toStdString());
        QCOMPARE(json.size(), std::size_t{1});
        QVERIFY(json["curve"]["rows"].empty());
    }

    void theClipboardGetsPictureAndTable()
    {
        const auto data = makeMimeData(killed());
        QVERIFY(data->hasImage());
        QVERIFY(wordsOf(data->data(QStringLiteral("image/svg+xml"))).contains(QStringLiteral("Run 7")));
        QCOMPARE(data->data(QStringLiteral("text/csv")).count('\n'), 1102);
    }

    void aFolderThatIsNotThereIsSaid()
    {
        const QString file = inFolder("no/such/folder/run7.png");
        const Result<void> result = exportDocument(killed(), file, {});
        QVERIFY(!result);
        QVERIFY(result.error().message.find(file.toStdString()) != std::string::npos);
    }

    void devicesAndPipesAreNeverReplaced()
    {
        const QByteArray fifo = QFile::encodeName(inFolder("pipe.png"));
        QCOMPARE(::mkfifo(fifo.constData(), 0600), 0);
        QVERIFY(!exportDocument(killed(), inFolder("pipe.png"), {}));
        QVERIFY(!QFileInfo(inFolder("pipe.png")).isFile());
        QVERIFY(!exportDocument(killed(), m_folder.path(), {}));
    }

    void aFailedExportLeavesTheOldFile()
    {
        // No file of this process may grow beyond 4 KiB: what a full disk does.
        const QString file = inFolder("old.png");
        QFile old(file);
        QVERIFY(old.open(QIODevice::WriteOnly));
        old.write("as it was");
        old.close();
        rlimit before{};
        ::getrlimit(RLIMIT_FSIZE, &before);
        const rlimit small{4096, before.rlim_max};
        ::signal(SIGXFSZ, SIG_IGN);
        ::setrlimit(RLIMIT_FSIZE, &small);
        const Result<void> result = exportDocument(killed(), file, {});
        ::setrlimit(RLIMIT_FSIZE, &before);
        QVERIFY(!result);
        QVERIFY(result.error().message.find("old.png") != std::string::npos);
        QCOMPARE(contentOf(file), QByteArray("as it was"));
    }

    void jobsAreRendered()
    {
        for (const char* name : {"job.png", "job.svg"}) {
            nlohmann::json job = jobFor(inFolder(name));
            job["scale"] = 2;
            QCOMPARE(renderJob(jobFile(job.dump())), 0);
        }
        QCOMPARE(QImage(inFolder("job.png")).size(), QSize(1920, 1240));
        const QString words = wordsOf(contentOf(inFolder("job.svg")));
        QVERIFY(words.contains(QStringLiteral("Run 7 · qwen3-omni-30b")));
        QVERIFY(words.contains(QStringLiteral("Limit 122 GiB, all memory")));
    }

    void oneSampleIsNoPlural()
    {
        const auto one = shots::curve(0, 1, [](double, Sample&) {});
        QCOMPARE(one->samples.size(), std::size_t{1});
        const ChartDocument document = makeDocument(shots::loadedRun(), one);
        QVERIFY2(document.source.contains(QStringLiteral("1 sample ·")), qPrintable(document.source));
    }

    void aJobNeedsNoRun()
    {
        nlohmann::json job = jobFor(inFolder("bare.svg"));
        job.erase("run");
        job.erase("machine");
        QCOMPARE(renderJob(jobFile(job.dump())), 0);
        QVERIFY(QSvgRenderer(contentOf(inFolder("bare.svg"))).isValid());
    }

    void badJobsAreRefused_data()
    {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<int>("code");
        QTest::newRow("garbage") << QByteArray("\x89PNG") << 2;
        QTest::newRow("empty") << QByteArray() << 2;
        QTest::newRow("array") << QByteArray("[]") << 2;
        QTest::newRow("no out") << QByteArray(R"({"curve":{"columns":["t_s"],"rows":[]}})") << 2;
        QTest::newRow("no curve") << QByteArray(R"({"out":"x.png"})") << 2;
        QTest::newRow("curve of text") << QByteArray(R"({"out":"x.png","curve":"x"})") << 2;
        QTest::newRow("wrong format") << QByteArray(R"({"out":"x.gif","curve":{"columns":["t_s"],"rows":[]}})") << 2;
        QTest::newRow("huge") << QByteArray(R"({"out":"x.png","width":1e9,"curve":{"columns":["t_s"],"rows":[]}})")
                              << 2;
        QTest::newRow("run of text") << QByteArray(
            R"({"out":"/nonexistent/x.png","run":"x","curve":{"columns":["t_s"],"rows":[]}})")
                                     << 3;
        QTest::newRow("machine of text") << QByteArray(
            R"({"out":"x.png","machine":[],"curve":{"columns":["t_s"],"rows":[]}})")
                                         << 2;
    }
    void badJobsAreRefused()
    {
        QFETCH(QByteArray, text);
        QFETCH(int, code);
        QCOMPARE(renderJob(jobFile(text.toStdString())), code);
        QVERIFY(!QFile::exists(QStringLiteral("x.png")));
    }

    void aJobThatIsNoFileIsRefused()
    {
        QCOMPARE(renderJob(inFolder("absent.json")), 2);
        QCOMPARE(renderJob(m_folder.path()), 2);
        const QByteArray fifo = QFile::encodeName(inFolder("fifo"));
        QCOMPARE(::mkfifo(fifo.constData(), 0600), 0);
        QCOMPARE(renderJob(inFolder("fifo")), 2);
    }
};

QTEST_MAIN(tst_ChartExport)
#include "tst_ChartExport.moc"
