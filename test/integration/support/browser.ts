/** Real Chromium, without a window. Each page that it opens tells what it asked for and what it complained of. */
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { findProgram } from './requirements.ts';

export interface OpenedPage {
  readonly page: Page;
  /** Addresses of all requests but those within the page (`data:`). */
  readonly requests: readonly string[];
  /** Messages of the console, and errors that nobody caught. */
  readonly complaints: readonly string[];
}

/** None of its background services may look for a network. */
const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** The caller closes it. */
export async function startBrowser(): Promise<Browser> {
  return await chromium.launch({ executablePath: findProgram('chromium') ?? '', args: ARGUMENTS });
}

/** In a context of its own; whoever closes the page closes it. */
export async function openFile(
  browser: Browser,
  { file, ...options }: BrowserContextOptions & { readonly file: string },
): Promise<OpenedPage> {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 }, ...options });
  const requests: string[] = [];
  const complaints: string[] = [];
  page.on('request', (request) => {
    if (!request.url().startsWith('data:')) requests.push(request.url());
  });
  page.on('console', (message) => complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('dialog', (dialog) => {
    complaints.push(`a dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  await page.goto(`file://${file}`);
  return { page, requests, complaints };
}
