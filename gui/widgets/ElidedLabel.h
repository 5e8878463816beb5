#pragma once

#include <QLabel>

namespace loadlab {

/// One line of plain text that ends in "…" where the room ends; the tooltip then shows it whole. It gives way before
/// buttons do: its least width is a few letters.
class ElidedLabel : public QLabel {
    Q_OBJECT

public:
    explicit ElidedLabel(const QString& text = {}, QWidget* parent = nullptr);

    [[nodiscard]] QSize minimumSizeHint() const override;
    [[nodiscard]] bool isElided() const;

protected:
    bool event(QEvent* event) override;
    void paintEvent(QPaintEvent* event) override;
};

ElidedLabel* makeElidedMuted(const QString& text, QWidget* parent = nullptr); ///< In the muted colour.
ElidedLabel* makeElidedTitle(const QString& text, QWidget* parent = nullptr); ///< In bold.

} // namespace loadlab
