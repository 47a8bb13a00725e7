// SPDX-License-Identifier: GPL-3.0-or-later
#include "io/report/contents.h"

void wal_page_population(wal_page *page) { (void)page; }
