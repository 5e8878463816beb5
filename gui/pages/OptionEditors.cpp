#include "gui/pages/OptionEditors.h"

#include "gui/Words.h"
#include "gui/widgets/StateLook.h"

#include <QCheckBox>
#include <QComboBox>
#include <QDoubleValidator>
#include <QLineEdit>
#include <QSpinBox>

#include <limits>

namespace loadlab {

OptionEditor::OptionEditor(PluginOption option, QWidget* parent)
    : QObject(parent)
    , m_option(std::move(option))
    , m_widget(makeWidget(parent))
{
    m_widget->setObjectName(QStringLiteral("option_") + toQString(m_option.name));
    m_widget->setToolTip(inWords(toQString(m_option.help)));
    m_widget->setAccessibleName(toQString(m_option.label));
    m_widget->setAccessibleDescription(toQString(m_option.help));
    setValue(m_option.defaultValue);
}

QWidget* OptionEditor::makeWidget(QWidget* parent)
{
    switch (m_option.type) {
    case OptionType::Bool:
        return makeCheckBox(parent);
    case OptionType::Choice:
        return makeChoice(parent);
    case OptionType::Int:
        return makeWholeNumber(parent);
    case OptionType::Number:
    case OptionType::Text:
        return makeText(parent);
    }
    return makeText(parent);
}

QWidget* OptionEditor::makeCheckBox(QWidget* parent)
{
    auto* box = new QCheckBox(toQString(m_option.label), parent);
    connect(box, &QCheckBox::toggled, this, &OptionEditor::changed);
    return box;
}

QWidget* OptionEditor::makeChoice(QWidget* parent)
{
    auto* combo = new QComboBox(parent);
    for (const std::string& choice : m_option.choices)
        combo->addItem(toQString(choice));
    connect(combo, &QComboBox::currentIndexChanged, this, &OptionEditor::changed);
    return combo;
}

QWidget* OptionEditor::makeWholeNumber(QWidget* parent)
{
    auto* box = new QSpinBox(parent);
    box->setRange(std::numeric_limits<int>::min(), std::numeric_limits<int>::max());
    box->setGroupSeparatorShown(true);
    connect(box, &QSpinBox::valueChanged, this, &OptionEditor::changed);
    return box;
}

QWidget* OptionEditor::makeText(QWidget* parent)
{
    auto* edit = new QLineEdit(parent);
    if (m_option.type == OptionType::Number) {
        auto* validator = new QDoubleValidator(edit);
        validator->setLocale(QLocale::c()); // the value is a word of the command line: always a point
        edit->setValidator(validator);
    }
    connect(edit, &QLineEdit::textChanged, this, &OptionEditor::changed);
    return edit;
}

std::string OptionEditor::value() const
{
    if (const auto* box = qobject_cast<QCheckBox*>(m_widget))
        return box->isChecked() ? "true" : "false";
    if (const auto* combo = qobject_cast<QComboBox*>(m_widget))
        return combo->currentText().toStdString();
    if (const auto* number = qobject_cast<QSpinBox*>(m_widget))
        return std::to_string(number->value());
    return qobject_cast<QLineEdit*>(m_widget)->text().toStdString();
}

void OptionEditor::setValue(const std::string& value)
{
    const QString text = toQString(value);
    if (auto* box = qobject_cast<QCheckBox*>(m_widget))
        box->setChecked(value == "true");
    else if (auto* combo = qobject_cast<QComboBox*>(m_widget))
        combo->setCurrentText(text);
    else if (auto* number = qobject_cast<QSpinBox*>(m_widget))
        number->setValue(text.toInt());
    else
        qobject_cast<QLineEdit*>(m_widget)->setText(text);
}

} // namespace loadlab
