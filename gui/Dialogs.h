#pragma once

#include <QString>

#include <functional>

class QWidget;

namespace loadlab {

/// What asks the person for a file or folder. Empty answers mean: cancelled. Tests put their own answers here.
struct Dialogs {
    std::function<QString(QWidget* parent, const QString& title)> chooseFolder;
    std::function<QString(QWidget* parent, const QString& title)> chooseFile;
    std::function<QString(QWidget* parent, const QString& title, const QString& suggested, const QString& filter)>
        chooseSaveFile;

    static Dialogs ofSystem();
};

} // namespace loadlab
