#pragma once

#include "gui/widgets/ThemeHolder.h"

#include <QStyledItemDelegate>

namespace loadlab {

/// Text with an icon of the theme in front; the model names the icon in a role ("ok", "warn", "fail" …).
class SignDelegate : public QStyledItemDelegate {
    Q_OBJECT

public:
    SignDelegate(const ThemeHolder& theme, int signRole, QObject* parent = nullptr);

protected:
    void initStyleOption(QStyleOptionViewItem* option, const QModelIndex& index) const override;

private:
    const ThemeHolder& m_theme;
    int m_signRole;
};

/// The colour that goes with an icon of a state.
Role roleOfSign(const QString& sign);

} // namespace loadlab
