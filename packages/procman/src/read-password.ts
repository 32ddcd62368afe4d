// Reads a password: from a terminal without echo, otherwise up to the end of the input.

import { text } from "node:stream/consumers";
import type { ReadStream } from "node:tty";
import { HemiError } from "@hemi/hemi";

/** Asks twice on a terminal. Rejects with HEMI_USAGE for an empty password, two different ones, and Ctrl-C. */
export async function readPassword(): Promise<string> {
  const { stdin } = process;
  const password = stdin.isTTY ? await askTwice(stdin) : (await text(stdin)).replace(/\r?\n$/, "");
  if (password === "") throw new HemiError("HEMI_USAGE", "the password is empty");
  return password;
}

async function askTwice(terminal: ReadStream): Promise<string> {
  const password = await ask(terminal, "Password: ");
  if ((await ask(terminal, "Again: ")) !== password) throw new HemiError("HEMI_USAGE", "the two passwords differ");
  return password;
}

/** In raw mode the terminal echoes nothing, and passes on Ctrl-C and backspace as characters. */
async function ask(terminal: ReadStream, question: string): Promise<string> {
  // Before the prompt: text typed immediately must not be echoed.
  terminal.setRawMode(true);
  process.stderr.write(question);
  try {
    let typed = "";
    for await (const chunk of terminal.setEncoding("utf8").iterator({ destroyOnReturn: false })) {
      for (const character of String(chunk)) {
        if (character === "\r" || character === "\n" || character === "\u0004") return typed;
        if (character === "\u0003") throw new HemiError("HEMI_USAGE", "no password was given");
        typed = character === "\u007f" || character === "\b" ? typed.slice(0, -1) : typed + character;
      }
    }
    return typed;
  } finally {
    terminal.setRawMode(false);
    terminal.pause();
    process.stderr.write("\n");
  }
}
