// A program of one's own, with its name, its configuration and its modules. The `hemi` command is one that has none of
// them.

import { realpathSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { HemiError } from "@hemi/hemi/base";
import { takeAhead } from "./ahead.ts";
import { hemiDefaults, type ProgramDefaults } from "./command-line.ts";
import { describeError } from "./describe-error.ts";
import { exitCodeOf } from "./exit-code.ts";
import { locateModule } from "./locate-module.ts";
import { stopYoungGenerationGrowth } from "./memory/young-generation.ts";
import { runCommand } from "./run-command.ts";

export interface ProgramOptions {
  /** The name of the program, in the list of processes and in what `leader` tells. */
  readonly title: string;
  /** The configuration file, as a path from `base`. */
  readonly config: string;
  /**
   * Modules whose default exports are packs: paths from `base` that begin with `./`, or installed packages. Only the
   * workers and the checker load them, so that `rework` brings new code in.
   */
  readonly use?: readonly string[];
  /**
   * Where relative paths of the configuration start, and the default of the folders `logs`, `tmps` and `vars`. Default:
   * the folder of the module that Node.js was started with.
   */
  readonly base?: string;
}

/**
 * Runs the command line of the process as a command of this program: `node main.ts` serves, `node main.ts reload`
 * steers the program that runs; `node main.ts help` lists all commands. Options on the command line win; `--use` adds
 * modules. Sets the exit code of the process, and never rejects.
 *
 *     import { main } from "@hemi/procman";
 *     await main({ title: "shop", config: "conf/shop.conf", use: ["./exts/pack.ts"] });
 */
export async function main(program?: ProgramOptions): Promise<void> {
  // Where nothing listens to SIGUSR1, Node.js opens the port of its debugger.
  process.on("SIGUSR1", () => {});
  stopYoungGenerationGrowth();
  const code = await run(program);
  process.exitCode = code;
  // Components close what they open; but a forgotten timer must not keep the program running after its end.
  setTimeout(() => {
    const held = process.getActiveResourcesInfo().join(", ");
    process.stderr.write(`hemi: ended, though something was not closed: ${held}\n`);
    process.exit(code);
  }, leaveTime).unref();
}

async function run(program: ProgramOptions | undefined) {
  try {
    return await runCommand(process.argv.slice(2), program === undefined ? hemiDefaults : defaultsOf(program));
  } catch (error) {
    process.stderr.write(`${describeError(error)}\n`);
    return exitCodeOf(error);
  } finally {
    // Nobody has taken it: the command line was wrong, or another program has the folder.
    takeAhead()?.kill("SIGKILL");
  }
}

function defaultsOf({ title, config, use = [], base = folderOfMain() }: ProgramOptions): ProgramDefaults {
  if (!/^[\w .-]{1,64}$/.test(title)) {
    throw new HemiError("HEMI_USAGE", "the title of a program has 1 to 64 letters, digits, spaces, dots, _ and -");
  }
  return {
    title,
    command: "serve",
    config: resolve(base, config),
    base: resolve(base),
    use: use.map((name) => locateModule(name, base, `the module ${name} of ${title}`)),
  };
}

/** A program may be started by a link in a folder of commands. */
function folderOfMain(): string {
  const [, started] = process.argv;
  return started === undefined ? process.cwd() : dirname(realpathSync(started));
}

/** In milliseconds. */
const leaveTime = 1000;
