#pragma once

#include "core/Variant.h"

#include <QObject>
#include <QString>

#include <vector>

class QCheckBox;
class QLineEdit;
class QDoubleSpinBox;
class QWidget;

namespace loadlab {

/// What may end or contain a trial, as rows of a form: each a check box with its value. A value that cannot be read has
/// a red edge.
class LimitEditors : public QObject {
    Q_OBJECT

public:
    struct Row {
        QString label;
        QWidget* editor;
    };

    /// The editors are children of `form`, and so is this.
    explicit LimitEditors(QWidget* form);

    [[nodiscard]] const std::vector<Row>& rows() const { return m_rows; }
    /// The error names the field.
    [[nodiscard]] Result<Limits> limits() const;
    void setLimits(const Limits& limits);

Q_SIGNALS:
    void changed();

private:
    struct Choice {
        QCheckBox* on = nullptr;
        QLineEdit* value = nullptr;
    };
    Choice add(const QString& label, const QString& words, const QString& value, const QString& after);
    void addSampling();
    void mark() const;

    std::vector<Row> m_rows;
    Choice m_guard, m_memory, m_swap, m_timeout, m_stall;
    QDoubleSpinBox* m_sampleHz = nullptr;
};

} // namespace loadlab
