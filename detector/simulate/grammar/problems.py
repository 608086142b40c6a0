# ruff: noqa: E501
"""Parts of small problems: settings, givens with the question they lead to, and facts that do not matter.

Slots: {a} {b} people, {c} {e} things, {x} {y} places, {n} {m} {k} numbers, {p} an amount; ``[[…|…]]`` alternatives.
"""

SETTINGS = (
    "It is market day in {x}.",
    "{a} runs a small workshop in {x}.",
    "Two friends, {a} and {b}, make a bet.",
    "A school in {y} prepares its summer fair.",
    "The warehouse near {x} counts its stock.",
    "On a rainy Sunday {a} tidies the attic.",
    "{b} has moved from {x} to {y}.",
    "A club collects {c}.",
    "During a power cut {a} passes the time with puzzles.",
    "Last year's fair in {x} was a success.",
    "The bakery opens at {k}.",
    "A delivery reached {y} this morning.",
)
ASIDES = (
    "{b} was late that day.",
    "The weather in {x} was mild.",
    "Nobody mentioned the {e}.",
    "(The {e} do not matter here.)",
    "It took {k} minutes to find parking.",
    "{a} likes {e} better, by the way.",
    "The road from {x} to {y} was closed.",
    "Last time there were {p} of them.",
)
PROBLEMS: tuple[tuple[tuple[str, ...], str], ...] = (
    (
        (
            "{a} [[has|owns|starts with]] {n} {c}.",
            "[[Of these, {m} go to {b}|{b} gets {m} of them|{m} are given away]].",
            "[[Then {a} buys {k} times as many as are left.|Afterwards the rest is multiplied by {k}.]]",
        ),
        "[[How many {c} are there at the end?|What is the final number of {c}?]]",
    ),
    (
        (
            "[[A train|A coach|The express]] [[leaves {x}|departs from {x}]] at {k} in the morning.",
            "[[It covers|The route to {y} is]] {p} km.",
            "[[The speed is a steady|It averages]] {n} km/h.",
        ),
        "[[When does it reach {y}?|At what time does it arrive?|How long is it on the way?]]",
    ),
    (
        (
            "[[A bag|An urn|A drawer]] [[holds|contains]] {n} {c} and {m} {e}.",
            "[[{a} draws {k} without looking|{k} are taken out blindly]][[, one after another|, without putting any back|]].",
        ),
        "[[How likely is it that all are {c}?|What is the probability of getting only {c}?|Find the chance that none is one of the {e}.]]",
    ),
    (
        (
            "[[{a} is {k} years older than {b}.|{b} is {k} years younger than {a}.]]",
            "[[In {m} years their ages will add up to {n}.|{m} years from now the sum of both ages is {n}.]]",
        ),
        "[[How old is {b} today?|What are their ages now?|How old was {a} last year?]]",
    ),
    (
        (
            "[[Some {c} are packed in rows of {m}|If the {c} are put into boxes of {m}]], {k} [[remain|are left over]].",
            "[[In rows of {k}, one remains.|With boxes of {k} there is one too many.]]",
            "[[There are more than {n} of them.|The number exceeds {n}.]]",
        ),
        "[[What is the smallest possible number?|How many {c} can there be at least?]]",
    ),
    (
        (
            "[[{k} workers|A team of {k}]] [[paint|pack|sort]] {n} {c} in {m} hours.",
            "[[All work at the same pace.|Nobody takes a break.]]",
        ),
        "[[How long would {m} workers need for {p}?|How many hours does one person need for {n}?|How many people finish {p} in one hour?]]",
    ),
    (
        (
            "[[The longer side of a plot|The length of a garden in {x}]] exceeds [[the other|its width]] by {k} metres.",
            "[[Its area is {p} square metres.|It covers {p} square metres.]]",
        ),
        "[[How long is the fence around it?|Find the perimeter to one decimal.|What are its sides?]]",
    ),
    (
        (
            "[[Either {a} or {b}|One of {a} and {b}]] [[keeps|hides]] the {c}.",
            "[[Whoever has them lives in {x}.|The owner of the {c} comes from {x}.]]",
            "[[{b} lives in {y}.|{b} has never left {y}.]]",
        ),
        "[[Who has the {c}?|Where are the {c}?|Can {b} have them?]]",
    ),
    (
        (
            "[[{n} people|A party of {n}]] [[sit|stand]] in a row.",
            "[[{a} and {b} refuse to be neighbours.|{a} must not be next to {b}.]]",
        ),
        "[[In how many orders is that possible?|How many arrangements remain?|Give the number of seatings.]]",
    ),
    (
        (
            "[[In a class of {n} pupils|Among {n} members]] [[everyone|each]] plays chess or tennis.",
            "[[{m} play chess only|{m} avoid tennis]].",
            "{k} [[play both|do both]].",
        ),
        "[[How many play tennis?|What share plays tennis?|How many avoid chess?]]",
    ),
    (
        (
            "[[A tank holds {p} litres.|The rainwater barrel takes {p} litres.]]",
            "[[It fills at {n} litres a minute|{n} litres flow in every minute]]",
            "[[and loses {k} through a crack.|while {k} leak out.]]",
        ),
        "[[When is it full?|After how many minutes does it overflow?|How much has leaked by then?]]",
    ),
    (
        (
            "[[{a} says that {b} always lies.|According to {a}, nothing {b} says is true.]]",
            "[[{b} says that {n} is prime.|{b} claims to own {n} {c}, an odd prime.]]",
            "[[Exactly one of them is right.|They cannot both be honest.]]",
        ),
        "[[Who tells the truth?|Is {n} prime, and who lies?|What follows?]]",
    ),
    (
        (
            "[[The price of the {c} was raised by {k} percent|Last spring the {c} became {k} percent dearer]]",
            "[[and later lowered by {m} percent|before a discount of {m} percent]].",
            "[[Now they cost {p} euros.|The label says {p}.]]",
        ),
        "[[What did they cost at first?|Find the original price.|By how much did the price change in all?]]",
    ),
    (
        (
            "[[{a} walks from {x} to {y}|{a} sets out from {x}]] at {k} km/h.",
            "[[{b} cycles after {a} {m} hours later at {n} km/h.|{m} hours later {b} follows by car, {n} km/h.]]",
        ),
        "[[Where do they meet?|When does {b} catch up?|How far from {x} is that?]]",
    ),
    (
        (
            "[[Each of {n} {c} weighs {k} grams|{n} {c} of {k} grams each lie on the scale]], [[except one that is heavier|but one is a little heavier]].",
            "[[There is a balance with two pans.|Only a balance may be used.]]",
        ),
        "[[How many weighings find it in the worst case?|What is the least number of weighings?]]",
    ),
    (
        (
            "[[A sequence begins with {k}, {m}.|The first two terms are {k} and {m}.]]",
            "[[Each term is the sum of the two before it.|From then on every number is the sum of its two predecessors.]]",
        ),
        "[[What is the tenth term?|Which term first exceeds {p}?|Is {n} in it?]]",
    ),
    (
        (
            "[[{a} saves {k} euros in the first week|In week one {a} puts aside {k} euros]]",
            "[[and {m} more each week than in the week before.|, increasing it by {m} every week.]]",
        ),
        "[[When has {a} saved {p}?|How much is it after {n} weeks?|In which week are {n} euros set aside?]]",
    ),
    (
        (
            "[[If it rains in {x}|Whenever it rains in {x}]], {a} [[takes the bus|stays in]].",
            "[[{a} did not take the bus and did not stay in.|Today {a} walked.]]",
        ),
        "[[Did it rain in {x}?|What can be concluded about the rain?|Is the conclusion valid?]]",
    ),
)
