// moduleCronjob: runs a function of the program by a schedule.

import type { Part } from "../../component/part.ts";
import { prop } from "../../component/prop.ts";
import { PropError } from "../../component/prop-error.ts";
import type { PropsOf } from "../../component/props/prop-type.ts";
import type { Context } from "../context.ts";
import { defineCronjob } from "../kinds/cronjob.ts";
import { checkCronProps, cronProps } from "./cron-props.ts";
import type { Work } from "./job-run.ts";
import { managedCronjob, type ManagedCronjob } from "./managed-cronjob.ts";
import { ScheduledWork } from "./scheduled-work.ts";

const props = {
  ...cronProps,
  /**
   * The module whose default export is the function: `(signal, run) => Promise<void>`. It fails if the promise rejects;
   * it should end soon when `signal` aborts. `run` has `due`, `attempt`, and `token`, the fencing token of its lock. It
   * runs in the worker: what would block it for long belongs in a thread, or into a `commandCronjob`.
   */
  module: prop.module({ required: true }),
};

/** Runs the function that a module of the program exports, by a schedule. */
export const moduleCronjob = defineCronjob({
  sign: "moduleCronjob",
  props,
  offers: [managedCronjob],
  check: (context) => checkCronProps(context),
  create: (context): Part & ManagedCronjob => new ModuleCronjob(context),
});

class ModuleCronjob extends ScheduledWork {
  readonly #module: PropsOf<typeof props>["module"];
  #work: Work | undefined;

  constructor(context: Context<PropsOf<typeof props>>) {
    super(context, async (signal, run) => {
      await this.#work?.(signal, run);
    });
    this.#module = context.props.module;
  }

  examine(): Promise<void> {
    return this.#module.examine();
  }

  async prepare(): Promise<void> {
    const loaded = await this.#module.load();
    const found: unknown = typeof loaded === "object" && loaded !== null && "default" in loaded && loaded.default;
    if (!isWork(found)) {
      const message = `${this.#module.file} has no default export that is a function (signal, run) => Promise<void>`;
      throw new PropError("module", "HEMI_MODULE", message);
    }
    this.#work = found;
  }
}

function isWork(value: unknown): value is Work {
  return typeof value === "function";
}
