// The control sockets of a program, and clients that are wrong.

import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { chmod, stat } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { Messenger } from "@hemi/common";
import { describe, expect, test, vi } from "vitest";
import { folderWith, run } from "./command.ts";
import { files, serve, workersOf } from "./program.ts";

vi.setConfig({ testTimeout: 90_000 });

const patiently = { timeout: 40_000 };

describe("--admin", () => {
  test("takes commands from clients that know the token, and from no others", async () => {
    await using folder = await folderWith(files());
    await using program = await serve(folder.path, "--admin", "127.0.0.1:0");
    const [, port = ""] = await program.command.line(/takes commands on 127\.0\.0\.1:(\d+)/);
    const admin = ["--admin", `127.0.0.1:${port}`];
    const token = join(folder.path, "vars", "admin.token");
    expect((await stat(token)).mode & 0o777).toBe(0o600);
    expect(await program.steer("pids", ...admin)).toMatch(/^\d+ \d+ \d+\n$/);

    await using other = await folderWith({ "admin.token": "0123456789abcdef0123456789abcdef\n" });
    const wrong = join(other.path, "admin.token");
    await chmod(wrong, 0o644);
    expect(await program.steer("pids", ...admin, "--admin-token", wrong)).toContain("other users may read it");
    await chmod(wrong, 0o600);
    expect(await program.steer("pids", ...admin, "--admin-token", wrong)).toBe("1 hemi: the token is wrong\n");
    await program.command.line(/refused a control connection: its token is wrong/);

    const socket = connect(Number(port), "127.0.0.1");
    const client = new Messenger(socket);
    await expect(client.call("stop")).rejects.toThrow("the first call is login");
    await once(socket, "close");
    // A frame of 1 GiB, which is announced and never comes.
    const large = connect(Number(port), "127.0.0.1").on("error", () => {});
    large.write(Buffer.from([0x40, 0, 0, 0]));
    await once(large, "close");
    expect(await workersOf(program)).toHaveLength(2);
    await program.end();
  });

  test("on an address of the network demands TLS, and its clients verify the certificate", async () => {
    await using folder = await folderWith(files());
    const clear = await run(["serve", "--admin", "0.0.0.0:0"], { cwd: folder.path });
    expect(clear.stderr).toContain("would send the token readable over the network");
    expect(clear.code).toBe(1);
    const [key, certificate] = [join(folder.path, "key.pem"), join(folder.path, "cert.pem")];
    const subject = ["-subj", "/CN=admin", "-addext", "subjectAltName=IP:127.0.0.1"];
    const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
    execFileSync("openssl", ["req", "-x509", ...curve, ...subject, "-keyout", key, "-out", certificate], {
      stdio: "ignore",
    });
    const tls = ["--admin-cert", certificate, "--admin-key", key];
    await using program = await serve(folder.path, "--admin", "0.0.0.0:0", ...tls);
    const [, port = ""] = await program.command.line(/takes commands on 0\.0\.0\.0:(\d+)/);
    const admin = ["--admin", `127.0.0.1:${port}`];
    expect(await program.steer("pids", ...admin, "--admin-ca", certificate)).toMatch(/^\d+ \d+ \d+\n$/);
    // Without TLS, nothing is said.
    expect(await program.steer("pids", ...admin)).toMatch(/^2 /);
    await program.end();
  });
});

test("control clients that send nothing hold no more than their places", async () => {
  await using folder = await folderWith(files());
  await using program = await serve(folder.path);
  const path = join(folder.path, "vars", "hemi.sock");
  const silent = await Promise.all(
    Array.from({ length: 64 }, async () => {
      const socket = connect(path).on("error", () => {});
      await once(socket, "connect");
      return socket;
    }),
  );
  const late = connect(path).on("error", () => {});
  await once(late, "close");
  for (const socket of silent) socket.destroy();
  await expect.poll(() => program.steer("pids"), patiently).toMatch(/^\d+ \d+ \d+\n$/);
  await program.end();
});

test("the control socket that a killed program has left is replaced, and others cannot open it", async () => {
  await using folder = await folderWith(files());
  const first = await serve(folder.path);
  first.command.child.kill("SIGKILL");
  await first.command.finished();
  await using program = await serve(folder.path);
  expect((await stat(join(folder.path, "vars", "hemi.sock"))).mode & 0o777).toBe(0o600);
  expect(await workersOf(program)).toHaveLength(2);
  await program.end();
});
