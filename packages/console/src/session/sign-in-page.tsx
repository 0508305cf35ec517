// For whoever is not signed in: the ways that the service offers, and how to come by a sign-in link.

import type { SignInWays } from '@stowage/contract';
import { type ReactNode, useId } from 'react';
import { Mark } from '../shell/mark.tsx';
import { usePageTitle } from '../shell/page-title.ts';
import { useApi } from './api-context.ts';
import { CodeForm } from './code-form.tsx';
import { LinkForm } from './link-form.tsx';
import { PasswordForm } from './password-form.tsx';
import type { LinkOutcome } from './session-query.ts';
import { useSignIn } from './use-sign-in.ts';
import './sign-in-page.css';

interface SignInPageProps {
  /** By which the page was opened. */
  readonly link: LinkOutcome;
  readonly ways: SignInWays;
}

export function SignInPage({ link, ways }: SignInPageProps): ReactNode {
  const { waiting, refusal, isBusy, attempt, giveUp } = useSignIn(link);
  const failedId = useId();
  usePageTitle('Sign in');
  const about = (form: 'password' | 'link' | 'code') => (refusal?.of === form ? refusal : undefined);
  const hasFailed = refusal === undefined ? link.kind === 'failed' : refusal.code === 'sign-in-link-used';

  if (waiting !== undefined) {
    return (
      <Card>
        <p>This account asks for a one-time code too.</p>
        <CodeForm
          refusal={about('code')}
          isBusy={isBusy}
          onCode={(code) => attempt({ ...waiting, code })}
          onBack={giveUp}
        />
      </Card>
    );
  }
  return (
    <Card>
      {hasFailed ? <LinkFailed id={failedId} /> : null}
      <Providers providers={ways.providers} />
      {ways.password ? (
        <>
          <PasswordForm refusal={about('password')} isBusy={isBusy} onSubmit={attempt} />
          <p className="sign-in-or">or without a password</p>
        </>
      ) : null}
      <LinkForm refusal={about('link')} failedId={failedId} isBusy={isBusy} onToken={(token) => attempt({ token })} />
    </Card>
  );
}

function Card({ children }: { readonly children: ReactNode }): ReactNode {
  return (
    <main className="sign-in">
      <div className="sign-in-card">
        <Mark />
        <h1>Sign in to Stowage</h1>
        {children}
      </div>
    </main>
  );
}

function LinkFailed({ id }: { readonly id: string }): ReactNode {
  return (
    <div id={id} role="alert" className="sign-in-failed">
      <p className="sign-in-problem">This sign-in link was used already, or has expired.</p>
      <p>To get another one:</p>
      <ul>
        <li>
          If you run Stowage, stop it in its terminal with Ctrl-C and start it again (<code>npm start</code>): it shows
          a new link.
        </li>
        <li>If somebody invited you, ask them to invite you again.</li>
      </ul>
    </div>
  );
}

function Providers({ providers }: Pick<SignInWays, 'providers'>): ReactNode {
  const api = useApi();
  if (providers.length === 0) return null;
  return (
    <div className="sign-in-providers">
      {providers.map(({ id, name }) => (
        <a key={id} className="button" href={api.url('beginOidcSignIn', { params: { provider: id } })}>
          Sign in with {name}
        </a>
      ))}
    </div>
  );
}
