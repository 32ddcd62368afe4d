import { describe, expect, test } from "vitest";
import { readCommandLine } from "./command-line.ts";

describe("readCommandLine", () => {
  test.each([
    ["sreve", "there is no command sreve; did you mean serve?"],
    ["serve --confg x", "there is no option --confg; did you mean --config?"],
    ["serve -confg=x", "there is no option --confg; did you mean --config?"],
    ["check --grace 1s", "check takes no --grace; it takes base, logs, tmps, vars, config, use, json"],
    ["serve --single --daemon", "serve takes no --daemon here; it belongs to a leader"],
    ["serve --max-memory lots", '--max-memory takes a size such as 512M or 2G, not "lots"'],
    ["serve --admin 9000", "--admin takes an address such as 127.0.0.1:9000 or [::1]:9000"],
    ["serve --user 4242424", "--user 4242424 is not in /etc/passwd; give --group, too"],
    ["explain --running --config a.conf /", "explain --running takes no --config"],
    ["help --single", "help takes no --single; it takes no options"],
    ["serve x.conf", "serve takes no argument x.conf; did you mean --config?"],
    ["serve --grace soon", '--grace takes a duration such as 10s, not "soon"'],
    ["serve --log-level loud", "--log-level takes debug, info, warn, error"],
    ["serve --config", "--config"],
    ["fmt --json", "fmt takes no --json; it takes config, base, check"],
    ["explain --frm 10.0.0.1 /", "there is no option --frm; did you mean --from?"],
    ["explain -H", "--header"],
  ])("%s is refused, with what to do", (args, message) => {
    expect(() => readCommandLine(args.split(" "))).toThrow(message);
  });

  test("takes one dash for two, and = for a space", () => {
    for (const args of [["-config", "a.conf"], ["--config", "a.conf"], ["-config=a.conf"], ["-c", "a.conf"]]) {
      expect(readCommandLine(["serve", ...args])).toMatchObject({ command: "serve", config: "a.conf" });
    }
  });

  test("has a default for everything", () => {
    expect(readCommandLine(["serve"])).toMatchObject({
      config: "hemi.conf",
      base: process.cwd(),
      use: [],
      grace: 4000,
      logLevel: "info",
      logFormat: "text",
      logFile: undefined,
    });
  });

  test("explain takes a method, a URL and header fields", () => {
    const args = ["explain", "-config", "a.conf", "GET", "/x", "-H", "a: b", "--from", "::1", "--json"];
    expect(readCommandLine(args)).toMatchObject({
      command: "explain",
      config: "a.conf",
      rest: ["GET", "/x"],
      fields: ["a: b"],
      from: "::1",
      isJSON: true,
    });
  });

  test("without a command it helps, and --help and --version win over a command", () => {
    expect(readCommandLine([]).command).toBe("help");
    expect(readCommandLine(["serve", "--help"])).toMatchObject({ command: "help" });
    expect(readCommandLine(["--version"]).command).toBe("version");
  });
});
