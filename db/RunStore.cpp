#include "db/RunStore.h"
