/** Words that carry no trace of where the trouble is. What is common in one repository alone is found by its counts. */
import { wordsOf } from "./words.ts";

const WORDS = `a about above after again all also although always am an and another any anyway are around as at away back be became
because been before being below better between both but by came can cannot case cases certain come could currently did different do
does doing don done down due during each easily either else enough ensure etc even ever every everything example exactly
existing expected fact far few first following for found from further gave general get gets getting give given gives go goes
going good got had happen happens hard has have having he hence her here him his how however i if in inside instead into is issue
issues it its itself just keep kind know known last later least less let lets like likely little ll longer look looks lot made
mainly make makes making many may maybe me might mine more moreover most much must my near need needed needs neither never nevertheless new
next no nobody nor not nothing now nowhere obviously of off often ok okay old on once one ones only onto or other others otherwise our out over own
per perhaps please possible possibly pr previously problem problems properly proper put quite rather really reason result
results right said same saw say says second see seem seems seen several shall she should show shows since so some somehow
something sometimes soon still such sure take takes than thank thanks that the their them then there therefore these they thing
things think this those though three through thus time times to together too took toward try trying turn two under unless until up
upon us use used uses using usually ve very via want wants was way we well went were what whatever when where whereas wherever
whether which while who whole whom whose why will with within without won work working works would wrong yes yet you your
bug bugs fix fixes fixed fixing closes close resolve resolves resolved ticket correct correctly incorrect incorrectly
add adds added adding change changes changed changing update updates updated updating improve improves improved make allow allows
remove removes removed removing handle handles handling support supports supported`;

export const STOP_WORDS: ReadonlySet<string> = new Set(WORDS.split(/\s+/));

const STOPPED: ReadonlySet<string> = new Set([...STOP_WORDS].flatMap((word) => wordsOf(word).parts));

/** Whether a normalised word is one of these. */
export function isStopped(word: string): boolean {
  return STOPPED.has(word);
}
