#include "gui/charts/ChartPanel.h"

#include "gui/charts/ChartExport.h"
#include "gui/widgets/Chip.h"
#include "gui/widgets/IconButton.h"

#include <QClipboard>
#include <QFileDialog>
#include <QGuiApplication>
#include <QLabel>
#include <QMenu>
#include <QMimeData>
#include <QVBoxLayout>

#include <array>

namespace loadlab {
namespace {

struct Choice {
    const char* words;
    const char* suffix;
    ExportFormat format;
    double scale;
};
constexpr std::array kChoices{
    Choice{"PNG…", "png", ExportFormat::Png, 1},
    Choice{"PNG, twice the size…", "png", ExportFormat::Png, 2},
    Choice{"SVG…", "svg", ExportFormat::Svg, 1},
    Choice{"CSV, samples…", "csv", ExportFormat::Csv, 1},
    Choice{"JSON, run and samples…", "json", ExportFormat::Json, 1},
};

QString suffixOf(ExportFormat format)
{
    for (const Choice& choice : kChoices)
        if (choice.format == format)
            return QString::fromLatin1(choice.suffix);
    return {};
}

} // namespace

ChartPanel::ChartPanel(const ThemeHolder& theme, QWidget* parent)
    : Panel(QStringLiteral("Memory"), parent)
    , m_theme(theme)
    , m_chart(new MemoryChart(theme, this))
    , m_rate(makeMuted({}, this))
{
    buildChips();
    buildButtons();
    body()->setContentsMargins(10, 8, 6, 6);
    body()->addWidget(m_chart, 1);
}

void ChartPanel::buildChips()
{
    auto* stacked = new Chip(m_theme, QStringLiteral("Stacked"), this);
    auto* total = new Chip(m_theme, QStringLiteral("Total"), this);
    auto* log = new Chip(m_theme, QStringLiteral("Log scale"), this);
    for (Chip* chip : {stacked, total, log}) {
        chip->setCheckable(true);
        addBesideTitle(chip);
    }
    const auto showShape = [stacked, total](MemoryChart::Shape shape) {
        stacked->setChecked(shape == MemoryChart::Shape::Stacked);
        total->setChecked(shape == MemoryChart::Shape::Total);
    };
    showShape(m_chart->shape());
    connect(stacked, &QPushButton::clicked, m_chart, [this, showShape] {
        m_chart->setShape(MemoryChart::Shape::Stacked);
        showShape(m_chart->shape());
    });
    connect(total, &QPushButton::clicked, m_chart, [this, showShape] {
        m_chart->setShape(MemoryChart::Shape::Total);
        showShape(m_chart->shape());
    });
    connect(m_chart, &MemoryChart::shapeChanged, this, showShape);
    connect(log, &QPushButton::toggled, m_chart, &MemoryChart::setLogScale);
    connect(m_chart, &MemoryChart::logScaleChanged, log, &QPushButton::setChecked);
}

void ChartPanel::buildButtons()
{
    addToTitle(m_rate);
    auto* fit = new IconButton(m_theme, QStringLiteral("search"), QStringLiteral("Fit the whole run (0)"), this);
    connect(fit, &QToolButton::clicked, m_chart, &MemoryChart::fit);
    auto* copyButton = new IconButton(m_theme, QStringLiteral("copy"), QStringLiteral("Copy chart"), this);
    connect(copyButton, &QToolButton::clicked, this, &ChartPanel::copy);
    addToTitle(fit);
    addToTitle(copyButton);
    addToTitle(makeExportButton());
}

QWidget* ChartPanel::makeExportButton()
{
    auto* button = new IconButton(m_theme, QStringLiteral("export"), QStringLiteral("Export chart"), this);
    auto* menu = new QMenu(button);
    for (const Choice& choice : kChoices) {
        QAction* action = menu->addAction(QString::fromUtf8(choice.words));
        connect(action, &QAction::triggered, this, [this, choice] {
            m_exporter ? m_exporter(choice.format, choice.scale) : exportAs(choice.format, choice.scale);
        });
    }
    button->setMenu(menu);
    button->setPopupMode(QToolButton::InstantPopup);
    return button;
}

void ChartPanel::setRateWords(const QString& words)
{
    m_rate->setText(words);
}

void ChartPanel::copy()
{
    QGuiApplication::clipboard()->setMimeData(makeMimeData(m_chart->document(), options(1)).release());
}

ExportOptions ChartPanel::options(double scale) const
{
    ExportOptions options;
    options.scale = scale;
    options.stacked = m_chart->shape() == MemoryChart::Shape::Stacked;
    options.logScale = m_chart->logScale();
    return options;
}

void ChartPanel::setExporter(Exporter exporter)
{
    m_exporter = std::move(exporter);
}

void ChartPanel::exportAs(ExportFormat format, double scale)
{
    const ChartDocument document = m_chart->document();
    const QString suffix = suffixOf(format);
    QString name = document.title.section(QStringLiteral(" · "), 0, 0).toLower().remove(u' ');
    if (name.isEmpty())
        name = QStringLiteral("run");
    const QString file = QFileDialog::getSaveFileName(this, QStringLiteral("Export chart"), name + u'.' + suffix,
        QStringLiteral("%1 (*.%2)").arg(suffix.toUpper(), suffix));
    if (file.isEmpty())
        return;
    ExportOptions wanted = options(scale);
    wanted.format = exportFormatOf(file).value_or(format);
    const Result<void> written = exportDocument(document, file, wanted);
    if (written)
        Q_EMIT exported(file);
    else
        Q_EMIT exportFailed(QString::fromStdString(written.error().message));
}

} // namespace loadlab
