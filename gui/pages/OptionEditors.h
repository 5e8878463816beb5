#pragma once

#include "core/worker/PluginManifest.h"

#include <QObject>

#include <map>
#include <memory>
#include <string>
#include <vector>

class QWidget;

namespace loadlab {

/// The editor of one plugin option, by its type: check box, whole number, number, text or choice.
class OptionEditor : public QObject {
    Q_OBJECT

public:
    OptionEditor(PluginOption option, QWidget* parent);

    [[nodiscard]] const PluginOption& option() const { return m_option; }
    [[nodiscard]] QWidget* widget() const { return m_widget; }
    /// As the manifest spells it: "true", "4", "0.5" …
    [[nodiscard]] std::string value() const;
    void setValue(const std::string& value);

Q_SIGNALS:
    void changed();

private:
    QWidget* makeWidget(QWidget* parent);
    QWidget* makeCheckBox(QWidget* parent);
    QWidget* makeChoice(QWidget* parent);
    QWidget* makeWholeNumber(QWidget* parent);
    QWidget* makeText(QWidget* parent);

    PluginOption m_option;
    QWidget* m_widget;
};

} // namespace loadlab
