#include "gui/Dialogs.h"

#include <QFileDialog>

namespace loadlab {

Dialogs Dialogs::ofSystem()
{
    Dialogs dialogs;
    dialogs.chooseFolder
        = [](QWidget* parent, const QString& title) { return QFileDialog::getExistingDirectory(parent, title); };
    dialogs.chooseFile = [](QWidget* parent, const QString& title) {
        return QFileDialog::getOpenFileName(
            parent, title, {}, QStringLiteral("Weights (*.safetensors *.pt *.bin);;All files (*)"));
    };
    dialogs.chooseSaveFile
        = [](QWidget* parent, const QString& title, const QString& suggested, const QString& filter) {
              return QFileDialog::getSaveFileName(parent, title, suggested, filter);
          };
    return dialogs;
}

} // namespace loadlab
