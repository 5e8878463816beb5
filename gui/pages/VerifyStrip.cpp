#include "gui/pages/VerifyStrip.h"

#include "gui/Words.h"
#include "gui/widgets/ElidedLabel.h"
#include "gui/widgets/Figures.h"
#include "gui/widgets/IconButton.h"
#include "gui/widgets/Panel.h"

#include <QGridLayout>
#include <QLabel>
#include <QProgressBar>

#include <algorithm>

namespace loadlab {
namespace {

constexpr int kSteps = 1000;
constexpr double kSettledS = 0.5; ///< Before that a rate says nothing.

QString wordsOf(const ZooVerifier::Progress& progress)
{
    if (progress.totalBytes == 0)
        return QStringLiteral("looking through its files");
    QString words
        = QStringLiteral("%1 of %2").arg(figures::size(progress.doneBytes), figures::size(progress.totalBytes));
    if (progress.seconds < kSettledS || progress.doneBytes == 0)
        return words;
    const double rate = static_cast<double>(progress.doneBytes) / progress.seconds;
    const std::uint64_t left = progress.totalBytes - std::min(progress.totalBytes, progress.doneBytes);
    return words
        + QStringLiteral(", %1, %2 left").arg(figures::rate(rate), figures::seconds(static_cast<double>(left) / rate));
}

} // namespace

VerifyStrip::VerifyStrip(const ThemeHolder& theme, QWidget* parent)
    : QWidget(parent)
    , m_name(makeElidedTitle({}, this))
    , m_bar(new QProgressBar(this))
    , m_words(makeMuted({}, this))
{
    auto* cancel = new ActionButton(theme, QStringLiteral("Cancel"), QStringLiteral("x"), {}, this);
    cancel->setObjectName(QStringLiteral("cancelVerifyButton"));
    cancel->setToolTip(QStringLiteral("Stop reading; nothing is kept of it"));
    connect(cancel, &QPushButton::clicked, this, &VerifyStrip::cancelRequested);
    m_words->setObjectName(QStringLiteral("verifyWords"));
    m_bar->setTextVisible(false);
    m_bar->setRange(0, kSteps);
    m_bar->setAccessibleName(QStringLiteral("Verification"));
    auto* grid = new QGridLayout(this);
    grid->setContentsMargins(0, 4, 0, 0);
    grid->setHorizontalSpacing(10);
    grid->setVerticalSpacing(4);
    grid->addWidget(makeHairline(this), 0, 0, 1, 2);
    grid->addWidget(m_name, 1, 0);
    grid->addWidget(m_bar, 2, 0);
    grid->addWidget(m_words, 3, 0);
    grid->addWidget(cancel, 1, 1, 3, 1, Qt::AlignVCenter);
    grid->setColumnStretch(0, 1);
    hide();
}

void VerifyStrip::follow(const ZooVerifier& verifier)
{
    setVisible(verifier.checkpoint() != nullptr);
    if (!verifier.checkpoint())
        return;
    const ZooVerifier::Progress progress = verifier.progress();
    m_name->setText(QStringLiteral("Verifying ") + toQString(verifier.checkpoint()->name));
    m_words->setText(wordsOf(progress));
    m_bar->setAccessibleDescription(m_words->text());
    m_bar->setValue(progress.totalBytes == 0 ? 0
                                             : static_cast<int>(kSteps * static_cast<double>(progress.doneBytes)
                                                 / static_cast<double>(progress.totalBytes)));
}

} // namespace loadlab
