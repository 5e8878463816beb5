#pragma once

#include <QTableView>

namespace loadlab {

class ProfileModel;

/// The memory profile of a run as a table whose columns are never cut: where the room is short, what the readouts and
/// the chart show as well is left out (what was free, then the difference, then swap). Swap is shown once there is
/// some.
class ProfileView : public QTableView {
    Q_OBJECT

public:
    ProfileView(ProfileModel& model, QWidget* parent = nullptr);

protected:
    void resizeEvent(QResizeEvent* event) override;

private:
    void chooseColumns();

    ProfileModel& m_model;
    std::vector<int> m_widths;
};

} // namespace loadlab
