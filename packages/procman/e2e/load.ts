// Clients that ask for one path again and again: some on kept connections, some on a new one each time.

import { Agent, get } from "node:http";

export interface Load {
  /** What went wrong: the message, or the status. */
  readonly failed: readonly string[];
  /** How many requests were answered so far. */
  readonly answered: number;
  /** Waits for what is under way. Returns how many were answered. */
  stop(): Promise<number>;
}

export function load(port: number, { kept = 4, anew = 2, path = "/" } = {}): Load {
  const failed: string[] = [];
  let answered = 0;
  let isStopped = false;
  async function client(agent: Agent | false): Promise<void> {
    while (!isStopped) {
      await new Promise<void>((resolve) => {
        get({ agent, port, host: "127.0.0.1", path }, (response) => {
          if (response.statusCode !== 200) failed.push(String(response.statusCode));
          answered++;
          response.resume().on("end", resolve);
        }).on("error", (error) => {
          failed.push(error.message);
          resolve();
        });
      });
    }
  }
  const agents = Array.from({ length: kept }, () => new Agent({ keepAlive: true, maxSockets: 1 }));
  const clients = [...agents.map(client), ...Array.from({ length: anew }, () => client(false))];
  return {
    failed,
    get answered() {
      return answered;
    },
    async stop() {
      isStopped = true;
      await Promise.all(clients);
      for (const agent of agents) agent.destroy();
      return answered;
    },
  };
}
