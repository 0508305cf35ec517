// Files that were found dangerous, or that nothing could judge: seen and judged by those who look after a tenant.

import { z } from 'zod';

export interface QuarantinedFile {
  /** Of the version whose bytes these are; what the routes of the quarantine take. */
  readonly id: string;
  readonly fileId: string;
  readonly name: string;
  readonly sizeBytes: number;
  readonly contentType: string;
  /** `scan-failed`: nothing could judge the bytes, and the policy wants them judged. */
  readonly state: 'quarantined' | 'scan-failed';
  /** What was found, or why nothing was. */
  readonly reason: string;
  /** Who brought it. */
  readonly userId: string;
  readonly createdAt: string;
  /** When it was set aside. */
  readonly updatedAt: string;
  /** When it is deleted, unless somebody judges otherwise. */
  readonly purgeAt?: string;
}

export const quarantinedFileSchema: z.ZodType<QuarantinedFile> = z.object({
  id: z.string(),
  fileId: z.string(),
  name: z.string(),
  sizeBytes: z.int(),
  contentType: z.string(),
  state: z.enum(['quarantined', 'scan-failed']),
  reason: z.string(),
  userId: z.string(),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
  purgeAt: z.iso.datetime().exactOptional(),
});

export interface QuarantineList {
  /** The newest first. */
  readonly files: readonly QuarantinedFile[];
  readonly nextCursor?: string;
}

export const quarantineListSchema: z.ZodType<QuarantineList> = z.object({
  files: z.array(quarantinedFileSchema),
  nextCursor: z.string().exactOptional(),
});

export interface ReleaseRequest {
  /** Why it is no danger; for the audit log. */
  readonly reason: string;
}

export const releaseRequestSchema: z.ZodType<ReleaseRequest> = z.strictObject({
  reason: z.string().trim().min(1).max(500),
});

/** How far the judging is. */
export interface QuarantineOutcome {
  readonly id: string;
  readonly state: 'scanning' | 'ready';
}

export const quarantineOutcomeSchema: z.ZodType<QuarantineOutcome> = z.object({
  id: z.string(),
  state: z.enum(['scanning', 'ready']),
});
