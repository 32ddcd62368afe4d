// A PHP script behind FastCGI: what the relay costs beside PHP itself, which shares the core of the load.

import { compare } from "../comparison.ts";
import { startBackend, startServer } from "../server-process.ts";
import * as servers from "../servers/commands.ts";
import type { Work } from "../work.ts";

export const php: Work = {
  name: "PHP hello by FastCGI",
  needs: ["wrk", "nginx"],
  async run(settings) {
    const peer = { against: "nginx, fastcgi_pass with keepalive", atLeast: "0.85", aim: "1.0" };
    if (servers.phpProgram() === undefined) {
      return [{ ...peer, ours: "", theirs: "", figure: "not measured: php-fpm missing" }];
    }
    await using backend = await startBackend(servers.phpFPM);
    const env = { BACKEND_PORT: String(backend.port) };
    await using ours = await startServer(servers.hemiWithScripts("fastcgi.conf"), { env });
    await using theirs = await startServer(servers.nginxFastCGI(backend.port));
    const same = { path: "/hello.php", theirPath: "/hello.php", isVaried: false };
    const { ours: our, theirs: their, ratio, spread } = await compare(ours, theirs, { ...settings, ...same });
    return [
      {
        ...peer,
        ours: `${Math.round(our)}/s`,
        theirs: `${Math.round(their)}/s`,
        figure: `${ratio.toFixed(2)} (${spread.map((bound) => bound.toFixed(2)).join("–")})`,
      },
    ];
  },
};
