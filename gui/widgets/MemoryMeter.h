#pragma once

#include "gui/widgets/ThemeHolder.h"

#include <QWidget>

#include <optional>

namespace loadlab {

/// The status bar's meter: used of pool, with a mark where the guard stands.
class MemoryMeter : public QWidget {
    Q_OBJECT

public:
    explicit MemoryMeter(const ThemeHolder& theme, QWidget* parent = nullptr);

    void setValues(std::uint64_t usedBytes, std::uint64_t poolBytes, std::optional<std::uint64_t> guardBytes = {});
    [[nodiscard]] QSize sizeHint() const override { return {150, 14}; }
    [[nodiscard]] QSize minimumSizeHint() const override { return {60, 10}; }

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    const ThemeHolder& m_theme;
    std::uint64_t m_used = 0;
    std::uint64_t m_pool = 0;
    std::optional<std::uint64_t> m_guard;
};

} // namespace loadlab
