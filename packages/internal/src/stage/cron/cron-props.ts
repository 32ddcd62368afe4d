// Props of cronjobs that run by a schedule.

import type { CheckContext } from "../../component/definition.ts";
import { prop } from "../../component/prop.ts";
import type { PropsOf } from "../../component/props/prop-type.ts";
import { parseSchedule } from "./schedule.ts";

/** What all cronjobs that run by a schedule have in common. */
export const cronProps = {
  /**
   * When: a cron expression of five fields, or of six with seconds first (`0 3 * * *`), a nickname (`@daily`,
   * `@hourly`), or `every 90s` (`s`, `m`, `h`, `d`), counted from the epoch.
   */
  schedule: prop.string({ required: true, maxLength: 200 }),
  /** The IANA time zone of the schedule, such as `Europe/Berlin`. Default: that of the machine. */
  zone: prop.string({ minLength: 1, maxLength: 100 }),
  /**
   * What happens if the time comes while it still runs: nothing (`skip`), another run after it (`queue`, at most one),
   * or it is aborted for another run (`replace`).
   */
  overlap: prop.choice(["skip", "queue", "replace"], { default: "skip" }),
  /** A run is aborted after so long. */
  timeout: prop.duration({ default: "1h", min: "1ms", max: "30d" }),
  /** A run begins up to so long after its time, at random: many machines then do not begin at once. */
  jitter: prop.duration({ default: 0, max: "1d" }),
  /** How often a run that fails is tried again, after 1 s, 2 s, 4 s and so on. */
  retries: prop.integer({ default: 0, max: 20 }),
};

/** Their values. */
export type CronProps = PropsOf<typeof cronProps>;

/** For `check` of a cronjob. */
export function checkCronProps({ props, report }: CheckContext<CronProps>): void {
  try {
    parseSchedule(props.schedule, props.zone);
  } catch (error) {
    report({ prop: "schedule", message: error instanceof Error ? error.message : String(error) });
  }
}
