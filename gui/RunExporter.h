#pragma once

#include "gui/Background.h"
#include "gui/Dialogs.h"
#include "gui/charts/ChartDocument.h"
#include "gui/charts/ChartExport.h"

#include <QObject>
#include <QString>

class QMenu;
class QWidget;

namespace loadlab {

/// Writes a run to a file that the operator names: pictures are painted here, tables are written in the background.
class RunExporter : public QObject {
    Q_OBJECT

public:
    /// `dialogs` outlives this object.
    RunExporter(const Dialogs& dialogs, QObject* parent = nullptr);

    /// Asks where to; nothing happens when the answer is empty.
    void ask(QWidget* parent, const ChartDocument& document, ExportFormat format, double scale);
    /// An ending that names another format wins; none is completed.
    void write(const ChartDocument& document, const QString& fileName, ExportFormat format, double scale);
    void copy(const ChartDocument& document);

Q_SIGNALS:
    void exported(const QString& fileName);
    void failed(const QString& words);

private:
    void tell(const QString& fileName, const Result<void>& written);

    const Dialogs& m_dialogs;
    Background m_background;
};

/// "PNG…", "PNG, twice the size…", "SVG…", "CSV…", "JSON…", "Copy": each calls `chosen`, the last one `copied`.
void fillExportMenu(
    QMenu& menu, const std::function<void(ExportFormat, double scale)>& chosen, const std::function<void()>& copied);

} // namespace loadlab
