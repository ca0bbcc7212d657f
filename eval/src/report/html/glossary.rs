//! The terms that a newcomer meets on the page.

/// Terms and what they mean, in the order in which a reader meets them.
pub(super) const TERMS: [(&str, &str); 25] = [
    ("perpetual", "A futures contract without expiry; periodic funding payments tie its price to the asset’s."),
    ("policy", "A mapping from what the venue observes to its risk parameters, learned or written by hand."),
    (
        "contender",
        "A policy on a venue’s rules that takes part in the comparison. The subject is the one that is compared with all others.",
    ),
    ("decision", "One choice of all parameters; they hold until the next, in the default market for 30 seconds."),
    (
        "return",
        "Sum of rewards over an episode: minus the weighted costs of bad debt, deleveraging, liquidation, mispricing, idle margin and lost business. Higher is better; zero would be a market without any of these.",
    ),
    (
        "scenario, seed",
        "A scenario says what can happen, a seed what does. Held-out seeds take part neither in training nor in choosing what is reported.",
    ),
    (
        "paired difference",
        "Subject less opponent in the same scenario on the same seed, so that both meet the same luck, averaged over pairs.",
    ),
    (
        "interval",
        "The range of values that resampling the episodes (and the training seeds, where there are several) leaves plausible, at the stated confidence.",
    ),
    (
        "ahead, behind",
        "The paired interval excludes zero. Beats, loses to: a permutation test, corrected for the number of opponents (Holm), agrees.",
    ),
    (
        "open interest",
        "Notional of all open positions, counted once; its value at the start of an episode is the yardstick of money on this page.",
    ),
    ("bp", "Basis point: one hundredth of a percent."),
    ("initial margin", "Collateral that a new position must post. A multiplier above one turns some openings away."),
    ("maintenance margin", "Collateral below which the venue closes a position."),
    ("liquidation", "Closing a position by force, on the book, through keepers or into the venue’s own fund."),
    ("forced flow", "Volume that liquidations send to the book, as opposed to what traders send of their own accord."),
    ("cascade", "Liquidations move the price, which triggers liquidations."),
    ("bad debt", "What closed accounts owe beyond their collateral."),
    ("insurance fund", "The venue’s money that pays bad debt first."),
    ("auto-deleveraging (ADL)", "Closing winners’ positions against those of losers that the book cannot absorb."),
    (
        "mark, fundamental",
        "Mark is the price at which the venue measures margin; the fundamental is what the asset would cost without this venue.",
    ),
    ("depth", "What can be traded within a distance of the price."),
    (
        "openings turned away",
        "Openings that neutral margin would have brought and that did not come: the price of safety.",
    ),
    (
        "CVaR, tail",
        "Conditional value at risk: the mean of the worst share of episodes. It is worth as much as the number of episodes in the tail.",
    ),
    (
        "generalised Pareto",
        "The law that what lies beyond a high threshold tends to. Fitted to the worst tenth of episodes it says what worse ones than those seen would cost.",
    ),
    (
        "solvency shield",
        "Bounds behind a policy that hold its actions where the fund can bear what may come; its rate is the share of decisions that it changed.",
    ),
];
