// The entry of the thread that watches an event loop.

import "./watch/stall-thread.ts";
