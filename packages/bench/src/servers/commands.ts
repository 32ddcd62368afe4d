// The commands that start each server on a port.

import { chmodSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { findProgram, hemiCommand } from "../machine.ts";
import type { Command } from "../server-process.ts";
import { certificateFolder } from "./certificate.ts";
import { filesFolder } from "./files.ts";
import { makePage } from "./page.ts";

const conf = fileURLToPath(new URL("../../conf/", import.meta.url));

/** The path of a configuration. */
export function confFile(name: string): string {
  return join(conf, name);
}

export function hemi(name: string, use?: string): () => readonly string[] {
  const uses = use === undefined ? [] : ["--use", ourFile(use)];
  return () => [hemiCommand, "serve", "--single", "--config", join(conf, name), "--log-level", "error", ...uses];
}

/** In a folder of its own for what it writes. */
export function hemiWithLogs(name: string, use?: string): () => readonly string[] {
  return () => [...hemi(name, use)(), "--base", mkdtempSync(join(tmpdir(), "hemi-bench-logs-"))];
}

/** A leader and one worker, which asks it for what all workers share. */
export function hemiWithLeader(name: string, use: string): () => readonly string[] {
  return () => {
    const command = hemiWithLogs(name, use)().filter((word) => word !== "--single");
    return [...command, "--workers", "1", "--webui", "off"];
  };
}

/** With the certificate for HTTPS. */
export function hemiWithCertificate(name: string, use?: string): () => readonly string[] {
  return () => [...hemi(name, use)(), "--base", certificateFolder()];
}

export function nodeWithCertificate(name: string): () => readonly string[] {
  return () => [...node(name)(), certificateFolder()];
}

/** With the files of `files.ts`. */
export function hemiWithFiles(name: string): () => readonly string[] {
  return () => [...hemi(name)(), "--base", filesFolder()];
}

/** With an app of another framework that stands here. */
export function hemiWithApp(name: string): () => readonly string[] {
  return () => [...hemi(name)(), "--base", ourFile(".")];
}

/** In a folder with `page.html`. */
export function hemiWithPage(name: string): () => readonly string[] {
  return () => {
    const folder = mkdtempSync(join(tmpdir(), "hemi-bench-site-"));
    writeFileSync(join(folder, "page.html"), makePage());
    return [...hemi(name)(), "--base", folder];
  };
}

/** The path of the server that `node:http` makes. */
export const nodeHttpFile = ourFile("node-http.ts");

export function node(name: string, ...args: readonly string[]): () => readonly string[] {
  return () => [process.execPath, "--conditions=@hemi/source", ourFile(name), ...args];
}

/** One worker, and a folder of its own for what it writes. */
export function nginx(port: number): readonly string[] {
  return nginxWith("nginx.conf", { PORT: port }, mkdtempSync(join(tmpdir(), "hemi-bench-nginx-")));
}

/** nginx with several workers. */
export function nginxWithWorkers(workers: number): Command {
  return (port) => {
    const words = { PORT: port, WORKERS: workers };
    return nginxWith("nginx.conf", words, mkdtempSync(join(tmpdir(), "hemi-bench-nginx-")));
  };
}

/** nginx as it answers behind proxies: what is in `files/` of the folder, too. */
export function nginxIn(folder: string): (port: number) => readonly string[] {
  return (port) => nginxWith("nginx.conf", { PORT: port }, folder);
}

/** nginx over HTTP/2, with the certificate for HTTPS, and what is in `files/` beside it. */
export function nginxHttp2(port: number): readonly string[] {
  return nginxWith("nginx-http2.conf", { PORT: port }, certificateFolder());
}

/** The folder of PHP scripts. */
const phpFolder = ourFile("php");

/** PHP-FPM, with a process for each connection that the load makes through either side: both keep theirs. */
export function phpFPM(port: number): readonly string[] {
  const folder = mkdtempSync(join(tmpdir(), "hemi-bench-php-"));
  const asRoot = userInfo().uid === 0;
  const pool = `listen = 127.0.0.1:${port}\npm = static\npm.max_children = 140\n${asRoot ? "user = root\n" : ""}`;
  const file = join(folder, "php.conf");
  writeFileSync(file, `[global]\nerror_log = ${folder}/log\n[site]\n${pool}`);
  return [phpProgram() ?? "php-fpm", "--nodaemonize", "--fpm-config", file, ...(asRoot ? ["-R"] : [])];
}

/** Debian puts the version behind its name. */
export function phpProgram(): string | undefined {
  return findProgram("php-fpm") ?? findProgram("$(ls /usr/sbin | grep -m1 '^php-fpm')");
}

/** Hemi before PHP-FPM. */
export function hemiWithScripts(name: string): () => readonly string[] {
  return () => [...hemi(name)(), "--base", phpFolder];
}

/** nginx before PHP-FPM on a port. */
export function nginxFastCGI(backendPort: number): (port: number) => readonly string[] {
  return (port) => {
    const words = { PORT: port, BACKEND_PORT: backendPort, WEB_ROOT: phpFolder };
    return nginxWith("nginx-fastcgi.conf", words, mkdtempSync(join(tmpdir(), "hemi-bench-nginx-")));
  };
}

/** nginx as a proxy to a port. */
export function nginxProxy(backendPort: number): (port: number) => readonly string[] {
  return nginxBefore("nginx-proxy.conf", backendPort);
}

/** nginx as a caching proxy to a port, with its cache in a folder. */
export function nginxCache(backendPort: number, cache: string): (port: number) => readonly string[] {
  return (port) => {
    const words = { PORT: port, BACKEND_PORT: backendPort, CACHE: cache };
    return nginxWith("nginx-cache.conf", words, mkdtempSync(join(tmpdir(), "hemi-bench-nginx-")));
  };
}

/** The same over HTTP/2, with the certificate for HTTPS. */
export function nginxHttp2Cache(backendPort: number, cache: string): (port: number) => readonly string[] {
  return (port) => {
    const words = { PORT: port, BACKEND_PORT: backendPort, CACHE: cache, CERTIFICATES: certificateFolder() };
    return nginxWith("nginx-cache-http2.conf", words, mkdtempSync(join(tmpdir(), "hemi-bench-nginx-")));
  };
}

/** Varnish before a port: what says nothing about caching is fresh for an hour. */
export function varnish(backendPort: number): (port: number) => readonly string[] {
  return (port) => {
    const folder = mkdtempSync(join(tmpdir(), "hemi-bench-varnish-"));
    // Its worker is somebody else.
    chmodSync(folder, 0o755);
    const storage = ["-s", "malloc,256m", "-t", "3600"];
    return ["varnishd", "-F", "-n", folder, "-a", `127.0.0.1:${port}`, "-b", `127.0.0.1:${backendPort}`, ...storage];
  };
}

/** In memory only. */
export function redis(port: number): readonly string[] {
  return ["redis-server", "--port", String(port), "--bind", "127.0.0.1", "--save", "", "--dir", tmpdir()];
}

/** nginx as a proxy to a port: HTTP/2 in, HTTP/1 out, which is all that it can. */
export function nginxHttp2Proxy(backendPort: number): (port: number) => readonly string[] {
  return (port) => {
    const words = { PORT: port, BACKEND_PORT: backendPort, CERTIFICATES: certificateFolder() };
    return nginxWith("nginx-proxy-http2.conf", words, mkdtempSync(join(tmpdir(), "hemi-bench-nginx-")));
  };
}

/** nginx as it answers behind proxies, over HTTP/2 without TLS. */
export function nginxHttp2Backend(port: number): readonly string[] {
  return nginxWith("nginx-http2-backend.conf", { PORT: port }, mkdtempSync(join(tmpdir(), "hemi-bench-nginx-")));
}

/** nginx as a proxy of WebSockets to a port. */
export function nginxWebSocket(backendPort: number): (port: number) => readonly string[] {
  return nginxBefore("nginx-websocket.conf", backendPort);
}

/** haproxy in TCP mode before a port, with one thread. `inspect`: lines that look at the first bytes. */
export function haproxy(backendPort: number, inspect = ""): (port: number) => readonly string[] {
  return (port) => {
    const file = join(mkdtempSync(join(tmpdir(), "hemi-bench-haproxy-")), "haproxy.cfg");
    let text = readFileSync(join(conf, "haproxy.cfg"), "utf8").replaceAll("@INSPECT@", inspect);
    text = text.replaceAll("@PORT@", String(port)).replaceAll("@BACKEND_PORT@", String(backendPort));
    writeFileSync(file, text);
    return ["haproxy", "-f", file];
  };
}

/** haproxy that answers itself, under a master process that reloads it at SIGUSR2. */
export function haproxyMaster(port: number): readonly string[] {
  const file = join(mkdtempSync(join(tmpdir(), "hemi-bench-haproxy-")), "haproxy.cfg");
  writeFileSync(file, readFileSync(confFile("haproxy-http.cfg"), "utf8").replaceAll("@PORT@", String(port)));
  return ["haproxy", "-W", "-f", file];
}

/** nginx as a proxy of datagrams to a port. */
export function nginxStream(backendPort: number): (port: number) => readonly string[] {
  return nginxBefore("nginx-stream.conf", backendPort);
}

function nginxBefore(name: string, backendPort: number): (port: number) => readonly string[] {
  return (port) => {
    const ports = { PORT: port, BACKEND_PORT: backendPort };
    return nginxWith(name, ports, mkdtempSync(join(tmpdir(), "hemi-bench-nginx-")));
  };
}

function nginxWith(name: string, words: Readonly<Record<string, number | string>>, prefix: string): readonly string[] {
  let text = readFileSync(join(conf, name), "utf8").replaceAll("@PREFIX@", prefix);
  for (const [word, value] of Object.entries({ WORKERS: 1, ...words }))
    text = text.replaceAll(`@${word}@`, String(value));
  const file = join(prefix, name);
  writeFileSync(file, text);
  // Started by root, its worker is somebody else.
  chmodSync(prefix, 0o755);
  writeFileSync(join(prefix, "page.html"), makePage());
  return ["nginx", "-p", prefix, "-e", "/dev/null", "-c", file];
}

function ourFile(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}
