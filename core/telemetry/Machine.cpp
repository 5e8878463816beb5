#include "core/telemetry/Machine.h"
