// examples/two-backends, served as its README says: two servers, each a process of its own, behind the proxy.

import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { bootFile, MemorySink, openErrorLog, type ServerPart, type Stage } from "@hemi/hemi";

const example = fileURLToPath(new URL("../../../examples/two-backends/", import.meta.url));

export type AppName = "one" | "two";

export interface TwoBackends extends AsyncDisposable {
  readonly stage: Stage;
  readonly url: string;
  /** Ends a server without a word (SIGKILL). */
  kill(name: AppName): Promise<void>;
  /** Starts it again where it was. */
  restart(name: AppName): Promise<void>;
}

interface RunningApp {
  readonly child: ChildProcess;
  readonly port: number;
}

export async function serveTwoBackends(): Promise<TwoBackends> {
  await using stack = new AsyncDisposableStack();
  const apps = new Map<AppName, RunningApp>();
  stack.defer(async () => {
    await Promise.all([...apps.values()].map(stop));
  });
  for (const name of ["one", "two"] as const) apps.set(name, await startApp(name, 0));
  const stage = stack.use(
    await bootFile(`${example}proxy.conf`, {
      baseDir: example,
      env: { PORT: "0", APP_1: String(apps.get("one")?.port), APP_2: String(apps.get("two")?.port) },
      log: openErrorLog({ sink: new MemorySink() }),
    }),
  );
  await stage.start();
  const { listensOn: [listensOn = ""] = [] }: ServerPart = stage.find("httpxServer.main")?.part ?? {};
  const kept = stack.move();
  return {
    stage,
    url: `http://${listensOn.replace("[::]", "127.0.0.1")}`,
    async kill(name) {
      const app = apps.get(name);
      if (app !== undefined) await stop(app);
    },
    async restart(name) {
      apps.set(name, await startApp(name, apps.get(name)?.port ?? 0));
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

async function startApp(name: AppName, port: number): Promise<RunningApp> {
  const child = spawn(process.execPath, ["app.js", name, String(port)], {
    cwd: example,
    stdio: ["ignore", "pipe", "inherit"],
  });
  for await (const line of child.stdout) {
    const [, listensOn] = /listens on (\d+)/.exec(String(line)) ?? [];
    if (listensOn !== undefined) return { child, port: Number(listensOn) };
  }
  throw new Error(`the server "${name}" did not start`);
}

async function stop({ child }: RunningApp): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
}
