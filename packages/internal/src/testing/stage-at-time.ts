// For tests: a stage with definitions of their own, at a time that the test sets.

import { makeBoot } from "../boot.ts";
import type { Definition } from "../component/definition.ts";
import { pack } from "../component/pack.ts";
import { corePack } from "../core-pack.ts";
import { Clock } from "../fixtures/clock.ts";
import { fcache, namer } from "../fixtures/definitions.ts";
import { defineFixture } from "../fixtures/kind.ts";
import { kinds } from "../kinds.ts";
import { openErrorLog } from "../log/error-log.ts";
import { MemorySink } from "../log/sink.ts";
import { Listeners } from "../net/listener.ts";
import type { Stage } from "../stage.ts";
import type { Workers } from "../stage/workers.ts";

export interface StageAtTime {
  /** Runs. */
  readonly stage: Stage;
  /** The lines of the error log. */
  readonly log: readonly string[];
  /** The warnings about its configuration. */
  readonly doubts: readonly string[];
  /** Lets time go on, in seconds; it begins with the year 2026. */
  readonly wait: (seconds: number) => void;
}

/** Boots and starts a configuration. */
export async function stageAtTime(
  text: string,
  definitions: readonly Definition[],
  workers?: Workers,
): Promise<StageAtTime> {
  let now = Date.parse("2026-01-01T00:00:00Z");
  const testClock = defineFixture({ sign: "clock", create: () => new Clock({ wall: () => now }) });
  const sink = new MemorySink();
  const log = openErrorLog({ level: "debug", sink });
  const doubts: string[] = [];
  const core = corePack.definitions.filter(({ sign }) => sign !== "clock");
  const boot = makeBoot({
    kinds,
    packs: [pack("test", [...core, testClock, ...definitions])],
    fixtures: { clock: testClock, fcache, namer },
    openLog: () => log,
    makeListeners: () => new Listeners(),
  });
  const stage = await boot.bootText(text, {
    ...(workers === undefined ? {} : { workers }),
    warned: (found) => void doubts.push(...found.map(({ message }) => message)),
  });
  await stage.start();
  return { stage, log: sink.lines, doubts, wait: (seconds) => void (now += seconds * 1000) };
}
