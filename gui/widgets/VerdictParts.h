#pragma once

#include "gui/widgets/ThemeHolder.h"
#include "gui/widgets/VerdictText.h"

#include <QAbstractButton>
#include <QFrame>

/// The painted parts of VerdictView.
namespace loadlab {

/// A confidence in ten steps.
class ConfidenceBar : public QWidget {
    Q_OBJECT

public:
    ConfidenceBar(const ThemeHolder& theme, double confidence, Role role, QWidget* parent = nullptr);
    [[nodiscard]] QSize sizeHint() const override { return {10 * 9, 11}; }

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    const ThemeHolder& m_theme;
    double m_confidence;
    Role m_role;
};

/// One fact: sign, words, source, and in the full form weight and an arrow. A button: Enter or a click opens the place.
class EvidenceRow : public QAbstractButton {
    Q_OBJECT

public:
    struct Words {
        QString icon;
        Role role = Role::Muted;
        QString fact;
        QString source;
        QString weight; ///< Empty: compact form.
    };
    EvidenceRow(const ThemeHolder& theme, Words words, QWidget* parent = nullptr);
    [[nodiscard]] QSize sizeHint() const override;
    [[nodiscard]] QSize minimumSizeHint() const override { return {120, sizeHint().height()}; }

    static constexpr int kWeightWidth = 56;
    static constexpr int kArrowWidth = 26;
    static constexpr int kSourceWidth = 150;

protected:
    void paintEvent(QPaintEvent* event) override;
    void enterEvent(QEnterEvent* event) override;
    void leaveEvent(QEvent* event) override;

private:
    const ThemeHolder& m_theme;
    Words m_words;
};

/// "dtype float16 → auto" in a sunk box.
QWidget* makeChange(const verdict_text::Change& change, QWidget* parent = nullptr);

/// The row of column titles that fits EvidenceRow's full form.
QWidget* makeEvidenceHead(QWidget* parent = nullptr);

/// Sign and colour of a fact in a verdict of that mode.
EvidenceRow::Words evidenceWords(const Evidence& evidence, const Verdict& verdict, bool withWeight);

} // namespace loadlab
