/** What every sandbox promises, whatever it is made of. */
import { afterAll, beforeAll, describe } from "vitest";
import type { Sandbox, Sandboxes } from "../../domain/ports.ts";
import { commandContract } from "./contract-commands.ts";
import { fileContract } from "./contract-files.ts";
import { journalContract } from "./contract-journal.ts";
import { lifeContract } from "./contract-life.ts";
import { processContract } from "./contract-processes.ts";
import { sessionContract } from "./contract-sessions.ts";
import { drawKey, type Implementation, never, specOf } from "./harness.ts";

export interface Subject {
  /** One open sandbox for all tests that leave it as it was. */
  sandbox: Sandbox;
  sandboxes: Sandboxes;
  key: string;
  implementation: Implementation;
}

export function sandboxContract(name: string, implementation: () => Implementation): void {
  describe(name, () => {
    const subject = {} as Subject;
    beforeAll(async () => {
      subject.implementation = implementation();
      subject.sandboxes = subject.implementation.create();
      subject.key = drawKey("contract");
      subject.sandbox = await subject.sandboxes.open(specOf(subject.key), never);
    });
    afterAll(() => subject.sandboxes?.close(subject.key));

    describe("commands", () => commandContract(subject));
    describe("sessions", () => sessionContract(subject));
    describe("processes", () => processContract(subject));
    describe("the journal", () => journalContract(subject));
    describe("files", () => fileContract(subject));
    describe("opening and closing", () => lifeContract(subject));
  });
}
