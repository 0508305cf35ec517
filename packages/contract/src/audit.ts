// The audit log: what was done, by whom, to what. Entries are only ever added, and each holds a hash over itself and the one
// before, so that a change, a gap or a swap shows.

import { z } from 'zod';

/** What is written down. */
export const auditActions = [
  'tenant.created',
  'tenant.changed',
  'user.created',
  'user.changed',
  'user.invited',
  'user.signed-in',
  'password.changed',
  'second-factor.enabled',
  'second-factor.removed',
  'session.revoked',
  'group.created',
  'group.changed',
  'group.deleted',
  'group.member-added',
  'group.member-removed',
  'grant.set',
  'grant.deleted',
  'key.created',
  'key.deleted',
  'share.created',
  'share.revoked',
  'file.purged',
  'trash.emptied',
  'version.purged',
  'file.quarantined',
  'quarantine.released',
  'quarantine.deleted',
  'file.downloaded',
  'job.given-up',
  'link.created',
  'policy.changed',
  'reconcile.started',
  'reconcile.stopped',
  'webhook.created',
  'webhook.changed',
  'webhook.deleted',
] as const;

export type AuditAction = (typeof auditActions)[number];

export interface AuditEntry {
  /** From 1, without a gap. */
  readonly sequence: number;
  readonly at: string;
  readonly action: AuditAction;
  /** Who did it. `service`: the service by itself, or who runs it. */
  readonly actor: { readonly kind: 'user' | 'api-key' | 'token' | 'service'; readonly id: string };
  /** What it was done to. */
  readonly subject: { readonly kind: string; readonly id: string };
  readonly details: Readonly<Record<string, string | number | boolean | null>>;
  readonly address?: string;
  readonly requestId?: string;
  /** hex. HMAC-SHA-256 over this entry and `previousHash`, with a key that the database does not hold. */
  readonly hash: string;
  /** That of the entry before; zeros before the first. */
  readonly previousHash: string;
}

export const auditEntrySchema: z.ZodType<AuditEntry> = z.object({
  sequence: z.int(),
  at: z.iso.datetime(),
  action: z.enum(auditActions),
  actor: z.object({ kind: z.enum(['user', 'api-key', 'token', 'service']), id: z.string() }),
  subject: z.object({ kind: z.string(), id: z.string() }),
  details: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
  address: z.string().exactOptional(),
  requestId: z.string().exactOptional(),
  hash: z.string(),
  previousHash: z.string(),
});

export interface AuditList {
  /** The newest first. */
  readonly entries: readonly AuditEntry[];
  readonly nextCursor?: string;
}

export const auditListSchema: z.ZodType<AuditList> = z.object({
  entries: z.array(auditEntrySchema),
  nextCursor: z.string().exactOptional(),
});

export const listAuditQuerySchema = z.strictObject({
  action: z.enum(auditActions).exactOptional(),
  /** Only what this user, key or token did. */
  actorId: z.string().max(128).exactOptional(),
  /** Only what was done to this. */
  subjectId: z.string().max(128).exactOptional(),
  from: z.iso.datetime({ offset: true }).exactOptional(),
  until: z.iso.datetime({ offset: true }).exactOptional(),
  cursor: z.string().max(64).exactOptional(),
  /** Default 50. */
  limit: z.coerce.number().int().min(1).max(200).exactOptional(),
});

/**
 * Whether the log is whole. That its end was not cut off shows only to who kept an earlier `head`: compare it with the entry of
 * that sequence.
 */
export interface AuditVerification {
  /** How many entries were checked. */
  readonly entries: number;
  /** The last one that was checked, if there is one. */
  readonly head?: { readonly sequence: number; readonly hash: string };
  /** The first link that does not hold. Absent: all do. */
  readonly broken?: { readonly sequence: number; readonly fault: 'missing' | 'altered' };
}

export const auditVerificationSchema: z.ZodType<AuditVerification> = z.object({
  entries: z.int(),
  head: z.object({ sequence: z.int(), hash: z.string() }).exactOptional(),
  broken: z.object({ sequence: z.int(), fault: z.enum(['missing', 'altered']) }).exactOptional(),
});
