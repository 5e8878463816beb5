#pragma once

#include <QByteArray>
#include <QList>
#include <QSplitter>

#include <array>

class QSettings;

namespace loadlab {

/// A list with its details: beside it, below it in a narrow window. The sizes of both ways are remembered on their own.
class FoldingSplitter : public QSplitter {
    Q_OBJECT

public:
    static constexpr int kFoldBelow = 1100; ///< Width of the window.

    /// `beside`, `below`: the first sizes of list and details.
    FoldingSplitter(QWidget* list, QWidget* details, QList<int> beside, QList<int> below, QWidget* parent = nullptr);

    [[nodiscard]] bool isFolded() const { return orientation() == Qt::Vertical; }
    /// Under `key` and `key` + "Below".
    void saveTo(QSettings& settings, const QString& key) const;
    void restoreFrom(const QSettings& settings, const QString& key);

Q_SIGNALS:
    void folded(bool below);

protected:
    void resizeEvent(QResizeEvent* event) override;

private:
    void fold(bool below);
    void takeSizes();

    std::array<QList<int>, 2> m_first; ///< Beside, below.
    std::array<QByteArray, 2> m_states; ///< As they were left or remembered; empty: never.
};

} // namespace loadlab
