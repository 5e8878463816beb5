#pragma once

#include "gui/ZooVerifier.h"
#include "gui/widgets/ThemeHolder.h"

#include <QWidget>

class QLabel;
class QProgressBar;

namespace loadlab {

class ElidedLabel;

/// How far the reading of a checkpoint is: bytes, rate, time left, Cancel. Hidden while nothing is read.
class VerifyStrip : public QWidget {
    Q_OBJECT

public:
    explicit VerifyStrip(const ThemeHolder& theme, QWidget* parent = nullptr);

    void follow(const ZooVerifier& verifier);

Q_SIGNALS:
    void cancelRequested();

private:
    ElidedLabel* m_name;
    QProgressBar* m_bar;
    QLabel* m_words;
};

} // namespace loadlab
