#include "gui/Words.h"
#include "gui/pages/OptionEditors.h"
#include "gui/pages/TrialForm.h"

#include <QComboBox>
#include <QLabel>
#include <QLineEdit>
#include <QSignalBlocker>
#include <QStandardItemModel>

// The backend of the form: which there are, what its manifest asks for, and the variant that comes of it.

namespace loadlab {
namespace {

void fillWords(QComboBox& combo, const std::vector<PluginWord>& words)
{
    combo.clear();
    for (const PluginWord& word : words) {
        // "cuda:N" stands for every N: the first device is what people mean who have one.
        combo.addItem(toQString(word.name).replace(QLatin1String(":N"), QLatin1String(":0")));
        combo.setItemData(combo.count() - 1, toQString(word.help), Qt::ToolTipRole);
    }
}

/// A value that is no item goes into the edit field, where there is one.
void setWord(QComboBox& combo, const std::string& word)
{
    const QString text = toQString(word);
    if (const int at = combo.findText(text); at >= 0)
        combo.setCurrentIndex(at);
    else if (combo.isEditable())
        combo.setEditText(text);
}

} // namespace

void TrialForm::fillBackends()
{
    const QSignalBlocker quiet(m_backend);
    for (const bool watching : {false, true}) // What watches any program comes last.
        for (const PluginEntry& entry : m_lab.plugins)
            if ((entry.manifest && entry.manifest->takesProgram) == watching)
                addBackend(entry);
    const int standard = m_backend->findData(toQString(Variant().backend));
    const bool usable = standard >= 0 && m_installed.contains(Variant().backend);
    const auto first = [this] {
        for (int i = 0; i < m_backend->count(); ++i)
            if (m_installed.contains(m_backend->itemData(i).toString().toStdString()))
                return i;
        return -1;
    };
    m_backend->setCurrentIndex(usable ? standard : first());
}

void TrialForm::addBackend(const PluginEntry& entry)
{
    m_backend->addItem(toQString(entry.manifest ? entry.manifest->title : entry.name), toQString(entry.name));
    QStandardItem* item = qobject_cast<QStandardItemModel*>(m_backend->model())->item(m_backend->count() - 1);
    const bool installed = entry.installed();
    if (installed)
        m_installed.insert(entry.name);
    item->setEnabled(installed);
    if (entry.error) {
        item->setText(item->text() + QStringLiteral(" (broken)"));
        item->setToolTip(toSentence(*entry.error));
    } else if (!installed) {
        item->setText(item->text() + QStringLiteral(" (not installed)"));
        item->setToolTip(toQString(entry.manifest->installCommand));
    }
}

const PluginEntry* TrialForm::plugin() const
{
    const std::string name = m_backend->currentData().toString().toStdString();
    for (const PluginEntry& entry : m_lab.plugins)
        if (entry.name == name)
            return &entry;
    return nullptr;
}

bool TrialForm::pluginIsInstalled() const
{
    const PluginEntry* entry = plugin();
    return entry && m_installed.contains(entry->name);
}

void TrialForm::takeBackend()
{
    const PluginEntry* entry = plugin();
    const bool usable = entry && entry->manifest;
    for (QWidget* editor : {static_cast<QWidget*>(m_dtype), static_cast<QWidget*>(m_deviceMap)})
        editor->setEnabled(usable);
    const bool watches = takesProgram();
    if (!watches)
        m_loader = m_backend->currentIndex();
    m_modelTitle->setText(watches ? QStringLiteral("Program") : QStringLiteral("Model"));
    for (QWidget* widget : m_programRows)
        widget->setVisible(watches);
    for (QWidget* widget : m_checkpointRows)
        widget->setVisible(!watches);
    const bool takesMaxMemory = usable && entry->manifest->takesMaxMemory;
    m_maxMemory->setVisible(takesMaxMemory);
    m_maxMemoryLabel->setVisible(takesMaxMemory);
    if (!usable)
        return;
    const QSignalBlocker quietDtype(m_dtype);
    const QSignalBlocker quietMap(m_deviceMap);
    const std::string dtype = m_dtype->currentText().toStdString();
    const std::string deviceMap = m_deviceMap->currentText().toStdString();
    fillWords(*m_dtype, entry->manifest->dtypes);
    fillWords(*m_deviceMap, entry->manifest->deviceMaps);
    m_deviceMap->setEditable(entry->manifest->takesJsonDeviceMap);
    setWord(*m_dtype, dtype);
    if (!deviceMap.empty())
        setWord(*m_deviceMap, deviceMap);
    buildOptions(*entry->manifest);
}

void TrialForm::setVariant(const Variant& variant)
{
    if (const int backend = m_backend->findData(toQString(variant.backend)); backend >= 0)
        m_backend->setCurrentIndex(backend);
    setWord(*m_dtype, variant.dtype);
    setWord(*m_deviceMap, variant.deviceMap);
    QStringList limits;
    for (const auto& [device, bytes] : variant.maxMemory)
        limits << QStringLiteral("%1=%2").arg(toQString(device)).arg(bytes);
    m_maxMemory->setText(limits.join(QLatin1Char(',')));
    for (OptionEditor* editor : m_options) {
        const auto given = variant.options.find(editor->option().name);
        editor->setValue(given == variant.options.end() ? editor->option().defaultValue : given->second);
    }
}

Variant TrialForm::variant() const
{
    Variant variant;
    variant.backend = m_backend->currentData().toString().toStdString();
    variant.dtype = m_dtype->currentText().toStdString();
    variant.deviceMap = m_deviceMap->currentText().trimmed().toStdString();
    for (const OptionEditor* editor : m_options)
        variant.options[editor->option().name] = editor->value();
    return variant;
}

} // namespace loadlab
