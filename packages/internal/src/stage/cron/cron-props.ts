// Props of cronjobs that run by a schedule.

import type { CheckContext } from "../../component/definition.ts";
import { prop } from "../../component/prop.ts";
import type { PropsOf } from "../../component/props/prop-type.ts";
import { addonKind } from "../kinds/addon.ts";
import { lockService } from "../locks/lock-service.ts";
import { parseSchedule } from "./schedule.ts";

/** What all cronjobs that run by a schedule have in common. */
export const cronProps = {
  /**
   * When: a cron expression of five fields, or of six with seconds first (`0 3 * * *`), a nickname (`@daily`,
   * `@hourly`), or `every 90s` (`s`, `m`, `h`, `d`), counted from the epoch. On a day when the clocks change, an
   * expression of one time has one run: when the gap ends if the time does not exist, at the first if it exists twice.
   * With lists, ranges, steps or stars in the time, those that do not exist are left out, and others may come twice:
   * what runs each hour or more often goes on evenly.
   */
  schedule: prop.string({ required: true, maxLength: 200 }),
  /** The IANA time zone of the schedule, such as `Europe/Berlin`. Default: that of the machine. */
  zone: prop.string({ minLength: 1, maxLength: 100 }),
  /**
   * What happens if the time comes while it still runs: nothing (`skip`), another run after it (`queue`, at most one),
   * or it is aborted for another run (`replace`).
   */
  overlap: prop.choice(["skip", "queue", "replace"], { default: "skip" }),
  /** What happens at the start of the program if a time has passed while it did not run: nothing, or one run. */
  missed: prop.choice(["skip", "run"], { default: "skip" }),
  /** A run is aborted after so long, with its retries. */
  timeout: prop.duration({ default: "1h", min: "1ms" }),
  /** A run begins up to so long after its time, at random: many machines then do not begin at once. */
  jitter: prop.duration({ default: 0, max: "1d" }),
  /** How often a run that fails is tried again, after 1 s, 2 s, 4 s and so on. */
  retries: prop.integer({ default: 0, max: 20 }),
  /**
   * An addon with locks that several machines share: each run then takes place on one of them. Without it, it takes
   * place once for all workers of this machine. Give all machines the same schedule and zone.
   */
  withLock: prop.reference(addonKind, { offering: lockService }),
  /** Required with `withLock`: what happens to runs while the locks cannot be reached: none, or one on each machine. */
  onDown: prop.choice(["skip", "run"]),
  /** The folder with the history, a file for each cronjob. Default: `cron` in `%varsDir`. */
  historyFolder: prop.path({ default: "cron", defaultIn: "varsDir" }),
  /** How many runs the history has. 0: there is none, and `missed` cannot be `run`. */
  maxHistory: prop.integer({ default: 100, max: 10_000 }),
};

/** Their values. */
export type CronProps = PropsOf<typeof cronProps>;

/** For `check` of a cronjob. */
export function checkCronProps({ props, report, warn }: CheckContext<CronProps>): void {
  try {
    parseSchedule(props.schedule, props.zone);
  } catch (error) {
    report({ prop: "schedule", message: error instanceof Error ? error.message : String(error) });
  }
  if (props.withLock !== undefined && props.onDown === undefined) {
    const hint = '"skip" does not run meanwhile, "run" runs on each machine';
    report({ prop: "withLock", message: ".onDown is required with .withLock, which may be down", hint });
  }
  if (props.withLock === undefined && props.onDown !== undefined) {
    warn({ prop: "onDown", message: "it has no effect without .withLock" });
  }
  if (props.missed === "run" && props.maxHistory === 0) {
    report({ prop: "missed", message: "only the history tells which runs were missed: .maxHistory must not be 0" });
  }
}
