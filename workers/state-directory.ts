/** A state directory that cannot be used is told as the setting that named it. */
import { accessSync, constants, mkdirSync } from "node:fs";
import { ConfigurationError } from "../domain/errors.ts";

/** Makes it where it is missing. Throws ConfigurationError when it cannot be made or written. */
export function useStateDirectory(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    accessSync(folder, constants.W_OK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new ConfigurationError(
      [
        `MERGEWRIGHT_HOME: ${folder} cannot be used (${code}). Correct its permissions, or set MERGEWRIGHT_HOME to another directory.`,
      ],
      { cause: error },
    );
  }
}
