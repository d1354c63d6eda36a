/** What was typed is wrong: its text is all that is told, and the process ends with the code for wrong usage. */
export class UsageError extends Error {}
