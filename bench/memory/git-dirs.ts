/** The repositories that a benchmark was told to measure. */
import { findGitDir } from "../../activities/adapters/git/source.ts";
import { NotFound } from "../../domain/errors.ts";
import { refuseArguments } from "../arguments.ts";

/** Ends the process with code 2 where one of the folders is no repository. */
export async function gitDirsOf(folders: readonly string[]): Promise<string[]> {
  try {
    return await Promise.all(folders.map(findGitDir));
  } catch (error) {
    if (error instanceof NotFound) return refuseArguments(error.message);
    throw error;
  }
}
