// The small stage of the web UI. It holds none of the user's components.

import { fileURLToPath } from "node:url";
import {
  bootObject,
  defineHandlet,
  HTTPError,
  Listeners,
  openErrorLog,
  pack,
  type ConfigObject,
  type ErrorLog,
  type Request,
} from "@hemi/hemi";
import type { Channel } from "../channel/channel.ts";
import type { NoCalls } from "../channel/calls.ts";
import type { LeaderViewCalls, UISettings } from "./calls.ts";
import { refuseForeign } from "./foreign-requests.ts";
import { PassedConns } from "./passed-conns.ts";
import { readFields, UIRoutes } from "./routes.ts";
import { UISessions } from "./sessions.ts";

/** Serves until nobody has looked for a while. */
export async function serveUI(leader: Channel<LeaderViewCalls, NoCalls>): Promise<void> {
  const settings = await leader.call("settings", undefined);
  const { title, logFormat: format, logFile: file } = settings;
  process.title = `${title} web UI`;
  const log = openErrorLog({ level: "warn", format, ...(file === undefined ? {} : { file }) });
  const sessions = new UISessions(settings);
  const routes = new UIRoutes(leader, (req) => sessions.idOf(req) ?? "?");
  const door = doorOf(settings, sessions, routes, log);
  const stage = await bootObject(configOf(settings), {
    use: [pack("web UI", [door.handlet])],
    log,
    listeners: new Listeners(new PassedConns(leader)),
  });
  await stage.start();
  await door.isLeft;
  await stage.quit(0);
  await log.close();
}

/** Lets in who has a session, and answers what the pages ask. The pages themselves hold nothing of the program. */
function doorOf({ title }: UISettings, sessions: UISessions, routes: UIRoutes, log: ErrorLog) {
  const { promise: isLeft, resolve: leave } = Promise.withResolvers<void>();
  let usedAt = performance.now();
  const timer = setInterval(() => {
    if (routes.tabs > 0) usedAt = performance.now();
    else if (performance.now() - usedAt > idleTime) leave();
  }, idleTime / 10);
  void isLeft.then(() => clearInterval(timer));
  routes.mapper
    .get("/api/session", () => ({ title }))
    .delete("/api/session", (_req, resp) => {
      sessions.close(resp);
      return {};
    });

  async function openSession(req: Request, resp: Parameters<UISessions["open"]>[1]): Promise<true> {
    // Whoever can connect may send this. Browsers know the size of what they send.
    if (!(Number(req.header("content-length") ?? NaN) <= maxSignIn)) throw new HTTPError(413, "too much for a token");
    const { token } = await readFields(req);
    const id = sessions.open(token, resp);
    if (id === undefined) {
      log.warn("refused a browser: its token is wrong", { from: req.srcHost });
      throw new HTTPError(401, "the token is wrong");
    }
    resp.sendJSON({ title });
    return true;
  }

  const handlet = defineHandlet({
    sign: "webUI",
    create: () => ({
      handle(req, resp) {
        usedAt = performance.now();
        refuseForeign(req);
        if (!req.path.startsWith("/api/")) return false;
        resp.setHeader("cache-control", "no-store");
        if (req.path === "/api/session" && req.method === "POST") return openSession(req, resp);
        if (sessions.idOf(req) === undefined) throw new HTTPError(401, "no session");
        return routes.mapper.handle(req, resp);
      },
    }),
  });
  return { handlet, isLeft };
}

function configOf({ host, port }: UISettings): ConfigObject {
  const address = host.includes(":") ? `[${host}]` : host;
  const hostnames = [...new Set(["127.0.0.1", "localhost", "[::1]", address])];
  const webRoot = fileURLToPath(pages);
  const rule = {
    sign: "rule",
    props: { maxContentSize: "4M" },
    children: [
      { sign: "head", props: { set: securityFields, default: { "cache-control": "no-cache" } } },
      { sign: "webUI" },
      { sign: "static", props: { webRoot, otherwise: 404 } },
    ],
  };
  return {
    sign: "stage",
    children: [
      { sign: "webapp", name: "ui", props: { hostnames }, children: [rule] },
      { sign: "httpxServer", name: "ui", props: { webapps: ["ui"], address: `${address}:${port}`, maxConns: 256 } },
    ],
  };
}

/** Beside this module: in `dist` as one bundle, in the sources as they are. */
const pages = new URL("page", import.meta.url);

const contentSecurity = {
  "default-src": "'none'",
  "script-src": "'self'",
  "style-src": "'self'",
  "img-src": "'self'",
  "connect-src": "'self'",
  "base-uri": "'none'",
  "form-action": "'none'",
  "frame-ancestors": "'none'",
  "require-trusted-types-for": "'script'",
};

const securityFields = {
  "content-security-policy": Object.entries(contentSecurity)
    .map((directive) => directive.join(" "))
    .join("; "),
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
};

/** In bytes. */
const maxSignIn = 1000;
/** How long the process stays when no tab is open and nothing is asked. In ms. */
const idleTime = 10 * 60_000;
