#pragma once

#include "gui/widgets/ThemeHolder.h"

#include <QFrame>

class QHBoxLayout;
class QLabel;
class QVBoxLayout;

namespace loadlab {

class ElidedLabel;

/// The white box with a border; an optional title row (bold title left, muted remark or widgets right) and a body.
class Panel : public QFrame {
    Q_OBJECT

public:
    explicit Panel(const QString& title = {}, QWidget* parent = nullptr);

    void setTitle(const QString& title);
    /// Muted words at the right end of the title row.
    void setRemark(const QString& remark);
    /// Right behind the title.
    void addBesideTitle(QWidget* widget);
    /// At the right end, before the remark.
    void addToTitle(QWidget* widget);
    /// Below the title; margins 14, spacing 8.
    [[nodiscard]] QVBoxLayout* body() const { return m_body; }

private:
    QHBoxLayout* m_titleRow;
    ElidedLabel* m_title;
    ElidedLabel* m_remark;
    int m_besideAt = 1;
    QVBoxLayout* m_body;
};

/// A page's head: 46 px, title, one muted line, actions right.
class PageHeader : public QFrame {
    Q_OBJECT

public:
    explicit PageHeader(const QString& title, QWidget* parent = nullptr);

    void setTitle(const QString& title);
    void setRemark(const QString& remark);
    /// Between title and remark (a badge).
    void addBesideTitle(QWidget* widget);
    /// At the right, in the order of the calls.
    void addAction(QWidget* widget);

private:
    QHBoxLayout* m_row;
    QLabel* m_title;
    ElidedLabel* m_remark;
    int m_besideAt = 1;
};

QLabel* makeMuted(const QString& text, QWidget* parent = nullptr); ///< A label in the muted colour.
QLabel* makeTitle(const QString& text, QWidget* parent = nullptr); ///< A bold label.
QFrame* makeHairline(QWidget* parent = nullptr); ///< A horizontal line of 1 px.
QFrame* makeVerticalLine(QWidget* parent = nullptr);

} // namespace loadlab
