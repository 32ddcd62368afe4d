// What components have to do at their end, as tests for a configuration that has them.

import assert from "node:assert/strict";
import { readdir, readlink } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { lookForLeftovers } from "@hemi/common";
import { openErrorLog, type OwnedErrorLog } from "../log/error-log.ts";
import { MemorySink } from "../log/sink.ts";
import type { Stage } from "../stage.ts";
import type { ContractTest } from "./contract-test.ts";

/** Components, as parts of a configuration. */
export interface DepartureSubject {
  /** `bootWith([contrib]).bootText`, for example. */
  readonly boot: (text: string, options: { readonly log: OwnedErrorLog }) => Promise<Stage>;
  /** A configuration with the components. */
  readonly present: string;
  /** The same one without them. */
  readonly absent: string;
  /** Lets the components work before they leave: sends requests, for example. Default: nothing. */
  readonly use?: (stage: Stage) => Promise<void>;
}

/** The tests for these components. They look at the whole process: run them one after the other. */
export function departureTests(subject: DepartureSubject): readonly ContractTest[] {
  lookForLeftovers();
  return [
    {
      name: "a reload without the components leaves nothing of them open",
      run: () =>
        leavingNothing(subject, async (stage) => {
          const { departed } = await stage.reload({ text: subject.absent });
          await departed;
        }),
    },
    {
      name: "the end of the stage leaves nothing of them open",
      run: () => leavingNothing(subject, (stage) => stage.quit()),
    },
  ];
}

async function leavingNothing({ boot, present, use }: DepartureSubject, leave: (stage: Stage) => Promise<void>) {
  const sink = new MemorySink();
  const before = await openFiles();
  await using stage = await boot(present, { log: openErrorLog({ sink }) });
  await stage.start();
  await use?.(stage);
  await leave(stage);
  const told = sink.lines.filter((line) => line.includes("has left something open"));
  assert.deepEqual(told, [], told.join(""));
  let left: readonly string[] = [];
  for (let wait = 0; wait < closeTime; wait += closeTime / 20) {
    left = withoutOnce(await openFiles(), before);
    if (left.length === 0) return;
    await sleep(closeTime / 20);
  }
  assert.deepEqual(left, [], "files are open that were not before");
}

/** What is in `files` more often than in `before`. */
function withoutOnce(files: readonly string[], before: readonly string[]): readonly string[] {
  const rest = [...before];
  return files.filter((file) => {
    const place = rest.indexOf(file);
    if (place >= 0) rest.splice(place, 1);
    return place < 0;
  });
}

/** The paths of all files that this process has open. Empty without /proc. */
async function openFiles(): Promise<readonly string[]> {
  const folder = "/proc/self/fd";
  const fds = await readdir(folder).catch(() => []);
  const paths = await Promise.all(fds.map((fd) => readlink(`${folder}/${fd}`).catch(() => "")));
  // Sockets and the like have no path; /proc is open for this very question.
  return paths.filter((path) => path.startsWith("/") && !path.startsWith("/proc/"));
}

/** In milliseconds. */
const closeTime = 2000;
