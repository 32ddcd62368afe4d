// The app as a component: `tasks { .maxTasks = 100 }` in a configuration. The default export is the pack that --use
// brings in.

import { defineHandlet, pack, prop } from "@hemi/hemi";
import { routes } from "./routes.ts";
import { TaskList } from "./task-list.ts";

export const tasks = defineHandlet({
  sign: "tasks",
  props: {
    /** Maximum number of tasks. One more is refused with 409. */
    maxTasks: prop.integer({ default: 100, min: 1, max: 10_000, reload: "live" }),
  },
  // A mapper is a complete handlet.
  create: ({ props }) => routes(new TaskList(() => props.maxTasks)),
});

export default pack("typescript-app", [tasks]);
