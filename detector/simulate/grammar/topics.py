# ruff: noqa: E501
"""Word lists of our own: domains with their topics, the sides that people ask about, and things that belong to them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Domain:
    """A field of life; texts stay within one, as people do."""

    topics: tuple[str, ...]
    sides: tuple[str, ...]


def _domain(topics: str, sides: str) -> Domain:
    return Domain(tuple(topics.split("; ")), tuple(sides.split("; ")))


DOMAINS: dict[str, Domain] = {
    "cooking": _domain(
        "sourdough bread; a vegetable curry; tomato sauce; grilled mackerel; a birthday cake; fermented cabbage; rice noodles; knife care; "
        "lentil soup; pie crust; cast iron pans; vegan meringue; smoked paprika; leftover rice; a pressure cooker",
        "the right temperature; resting time; a substitute for butter; how long it keeps; the amount of salt; a burnt bottom; seasoning; "
        "portions for a crowd; kitchen equipment; texture",
    ),
    "health": _domain(
        "lower back pain; broken sleep; marathon training; vitamin D; shoulder stretches; a stubborn cough; blood pressure; breathing exercises; "
        "hay fever; a sprained ankle; migraine; knee surgery; iron deficiency; quitting smoking; screen fatigue",
        "when to see a doctor; side effects; a weekly routine; warning signs; recovery time; food to avoid; the dose; what studies say; "
        "old age; pregnancy",
    ),
    "money": _domain(
        "a household budget; index funds; a fixed-rate mortgage; tax returns; freelance invoices; pension plans; currency risk; a credit score; "
        "student loans; an emergency fund; renting versus buying; a small inheritance; payroll; crowdfunding; insurance excess",
        "fees; the break-even point; deadlines; inflation; the small print; monthly instalments; what the bank wants; risk; paperwork; a spreadsheet",
    ),
    "history": _domain(
        "the Hanseatic League; the Meiji era; Roman aqueducts; the Silk Road; the Black Death; the printing press; Maya astronomy; the Suez crisis; "
        "the Ottoman bureaucracy; the Mali empire; the Congress of Vienna; steam railways; the cod wars; Weimar inflation; the Indus cities",
        "causes; trade routes; everyday life; sources we have; who profited; myths about it; the decline; women's part; technology; legacy",
    ),
    "science": _domain(
        "black holes; plate tectonics; enzymes; superconductors; tides; soil bacteria; entropy; the ozone layer; messenger RNA; neutrinos; "
        "coral bleaching; photosynthesis; pendulums; crystal growth; noise in measurements; lichens",
        "the mechanism; an everyday analogy; how it was discovered; units; open questions; a home experiment; energy; limits of the model; "
        "measurement; exceptions",
    ),
    "mathematics": _domain(
        "prime numbers; matrix inverses; conditional probability; fractions; integration by parts; graph colouring; geometric series; "
        "modular arithmetic; eigenvalues; confidence intervals; proofs by induction; conic sections; random walks; linear programming; logarithms",
        "a counterexample; intuition; the edge case zero; notation; a proof; applications; numerical error; the general case; a picture; exercises",
    ),
    "software": _domain(
        "a race condition; database indexes; a REST client; regular expressions; flaky unit tests; git branches; a memory leak; CSS grids; a cron job; "
        "container images; a message queue; OAuth tokens; feature flags; a slow query; log rotation; type hints; web sockets; a build cache",
        "the error message; version conflicts; performance; how to test it; deployment; security; the configuration file; a minimal example; "
        "rollback; documentation; concurrency",
    ),
    "travel": _domain(
        "a week in Lisbon; night trains; visa rules for Vietnam; hiking in Norway; packing light; airport transfers; a road trip in Chile; "
        "Kyoto temples; island ferries; travelling with a baby; jet lag; camping with a dog; a layover in Doha; cycling along the Danube",
        "the budget; the best month; safety; vegetarian food; public transport; what to book early; rain; crowds; mobile data; a day plan",
    ),
    "work": _domain(
        "a difficult colleague; a job interview; meeting minutes; a resignation letter; project plans; performance reviews; a sales pitch; "
        "onboarding; a pay rise; remote work; a team workshop; a gap in my CV; handover notes; a cold e-mail; delegating",
        "tone; what the boss expects; a polite refusal; timing; an agenda; feedback; the follow-up; a template; deadlines; conflict",
    ),
    "language": _domain(
        "the Spanish subjunctive; German cases; business English; Japanese particles; etymology; idioms; pronunciation of th; French gender; "
        "Latin declensions; tone in Mandarin; phrasal verbs; comma rules; reading Arabic script; false friends",
        "examples; exceptions; a mnemonic; register; common mistakes; practice; spelling; dialects; a text for beginners; the accent",
    ),
    "garden": _domain(
        "tomato blight; compost; pruning roses; a small pond; indoor herbs; slugs; raised beds; fruit trees; a shady balcony; lawn moss; "
        "bee-friendly flowers; potting soil; rainwater barrels; overwintering dahlias",
        "watering; frost; pests; the first year; sun and shade; tools; fertiliser; spacing; cheap alternatives; what grows next to it",
    ),
    "art": _domain(
        "watercolour skies; portrait light; chord progressions; a short story; film editing; typography; clay glazes; a sonnet; ukulele strumming; "
        "charcoal hands; a museum label; voice acting; stop motion; a villain's motive; calligraphy",
        "composition; a first exercise; contrast; rhythm; an ending; influences; materials; critique; practice time; finding a style",
    ),
    "law": _domain(
        "a rental contract; copyright of photos; employment notice; small claims; data protection; a patent search; wills; consumer rights; "
        "a noisy neighbour; freelancer contracts; custody; trademark clashes; a parking fine; defamation online",
        "deadlines; evidence; costs; the exact wording; exceptions; a sample letter; who is liable; other countries; appeal; mediation",
    ),
    "family": _domain(
        "a toddler's tantrums; homework fights; screen time; a wedding speech; elderly parents; pet adoption; sibling rivalry; birthday games; "
        "moving house; a family budget; bedtime; twins; a godparent's duties; exchange students; picky eaters",
        "age; routines; guilt; what grandparents say; a compromise; money; rules; jokes; patience; school",
    ),
    "machines": _domain(
        "bicycle gears; heat pumps; a leaking tap; car batteries; 3D printing; solar panels; drones; a dishwasher fault; an espresso machine; "
        "a squeaky door; LED dimmers; a table saw; a sewing machine; drip irrigation; a wood stove",
        "spare parts; noise; cost per year; a wiring diagram; maintenance; safety; diagnosis; lifetime; regulations; tools needed",
    ),
    "society": _domain(
        "urban planning; voting systems; public libraries; energy policy; migration; social media; the welfare state; trade unions; housing costs; "
        "school reform; minimum wages; volunteer work; local newspapers; public transport fares; ageing populations",
        "arguments on both sides; statistics; other countries; history; who decides; funding; unintended effects; a summary; ethics; young people",
    ),
    "nature": _domain(
        "migrating storks; spider silk; mangroves; wolves in Europe; mushrooms after rain; bioluminescence; alpine meadows; river deltas; bats; "
        "cloud types; tree rings; octopus minds; peat bogs; the northern lights",
        "where to see it; threats; how it evolved; myths; the season; photography; food web; measurements; protection; children's questions",
    ),
    "sport": _domain(
        "open water swimming; a chess opening; half-court defence; bouldering grades; rowing technique; pacing a 10k; table tennis spin; "
        "yoga for cyclists; the offside rule; deadlift form; ultimate frisbee; skate wax; a training diary; penalty kicks",
        "warm-up; equipment; injuries; a plan for beginners; nutrition; tactics; rules; motivation; statistics; rest days",
    ),
    "business": _domain(
        "a coffee cart; subscription pricing; customer interviews; inventory; a franchise; an online shop; supplier terms; a loyalty scheme; "
        "churn; a pop-up store; packaging; seasonal demand; a business plan for bees; trade fairs; market research",
        "margins; competitors; cash flow; the first customer; marketing; legal form; logistics; risks; a forecast; hiring",
    ),
    "data": _domain(
        "survey weights; missing values; a pivot table; A/B tests; outliers; time series seasonality; a dashboard; data cleaning; clustering customers; "
        "regression to the mean; a box plot; geocoding; sampling bias; feature selection; a data dictionary",
        "sample size; assumptions; code for it; a chart; pitfalls; interpretation; reproducibility; units; privacy; validation",
    ),
    "psychology": _domain(
        "procrastination; imposter feelings; habit building; grief; small talk; boundaries; perfectionism; first impressions; memory tricks; "
        "stage fright; burnout; jealousy; decision fatigue; empathy; nightmares",
        "a first step; research; therapy; what friends can do; relapse; journaling; childhood; at work; self-tests; language to use",
    ),
    "games": _domain(
        "a dungeon campaign; deck building; city builders; speedrunning; chess endgames; party games; a puzzle hunt; world building; "
        "board game night; retro consoles; a mystery dinner; sandbox mods; trivia for teens; cooperative shooters",
        "balance; rules summary; characters; two players; difficulty; story hooks; strategy; accessibility; house rules; graphics",
    ),
    "philosophy": _domain(
        "free will; the trolley problem; Stoic exercises; personal identity; utilitarianism; beauty; the ship of Theseus; scepticism; Confucian virtue; "
        "consciousness; duties to animals; the social contract; nothingness; lying; time",
        "objections; a thought experiment; famous authors; modern debates; definitions; an everyday case; relativism; a short essay; paradoxes; reading tips",
    ),
    "building": _domain(
        "loft insulation; damp walls; tiny houses; a retaining wall; acoustic panels; a green roof; bathroom tiles; load-bearing walls; timber frames; "
        "window replacement; a garden shed; plastering; underfloor heating; gutter repair",
        "permits; cost; thickness; doing it alone; contractors; moisture; fire safety; materials; tools; time needed",
    ),
}
