#![allow(clippy::unwrap_used)]

use super::*;

fn error(text: &str) -> RecipeError {
    Recipe::parse(&format!("name = \"x\"\nversion = 1\n{text}")).unwrap_err()
}

fn recipe(text: &str) -> Recipe {
    Recipe::parse(&format!("name = \"x\"\nversion = 1\n{text}")).unwrap()
}

#[test]
fn every_shipped_recipe_parses_under_its_name() {
    for &(name, text) in SHIPPED {
        let recipe = Recipe::parse(text).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(recipe.name, name);
        assert!(
            !recipe.about.is_empty(),
            "{name} does not say what it is for"
        );
    }
}

#[test]
fn without_settings_the_shipped_defaults_hold() {
    let shipped = Recipe::cash_application();
    assert_eq!(shipped.label(), "cash-application@1");
    assert!(!shipped.has_conditions());
    assert_eq!(recipe("").policy(), shipped.policy());
    let policy = shipped.policy();
    let tolerates = |short: &str, open: &str| {
        policy.within_tolerance(short.parse().unwrap(), open.parse().unwrap())
    };
    assert!(tolerates("0.99", "100"));
    assert!(!tolerates("1.01", "100"));
    assert!(!tolerates("0.99", "10"));
}

#[test]
fn mistakes_point_at_their_line() {
    for (text, line, says) in [
        ("[amounts]\nwriteoff = 1\n", 4, "unknown field `writeoff`"),
        (
            "[decision]\nthreshold = 7.0\n",
            4,
            "decision.threshold is 7, expected a number between 0 and 1",
        ),
        (
            "[amounts]\nwrite_off = \"1.00\"\nwrite_off_percent = \"0\"\n",
            5,
            "contradict",
        ),
        ("[amounts]\nwrite_off = \"-1\"\n", 4, "zero or more"),
        ("[dates]\ndays_after = -1\n", 4, "0 to 3660 days"),
        (
            "effective_from = 2026-04-01\neffective_to = 2026-03-31\n",
            4,
            "effective_to is 2026-03-31, before effective_from 2026-04-01",
        ),
        (
            "effective_to = 2026-03-31\n[[versions]]\nversion = 2\neffective_from = 2026-03-31\n",
            6,
            "version 2 holds on days of version 1",
        ),
        (
            "effective_to = 2026-03-31\n[[versions]]\nversion = 1\neffective_from = 2026-04-01\n",
            5,
            "version 1 stands twice",
        ),
        (
            "[[rules]]\nname = \"large\"\nwhen = \"amount > 5\"\n",
            4,
            "does nothing",
        ),
        (
            "[[rules]]\nname = \"large\"\nhold = \"because\"\n",
            5,
            "one of debit",
        ),
        (
            "[[overrides]]\nname = \"all\"\n[overrides.decision]\nthreshold = 0.9\n",
            4,
            "is for nobody",
        ),
        ("[decision]\ncost_of_wrong = \"100\"\n", 4, "go together"),
        (
            "[decision]\ncost_of_wrong = \"5\"\ncost_of_review = \"3\"\n",
            4,
            "more than twice",
        ),
        (
            "[payments]\ndirection = \"in\"\n",
            4,
            "one of credit, debit, both",
        ),
        (
            "[items]\npaid_by_credits = [\"invoice\", \"invoice\"]\n",
            4,
            "twice",
        ),
        ("[payments]\nwhere = \" \"\n", 4, "payments.where is empty"),
    ] {
        let error = error(text);
        assert_eq!(error.line(), Some(line), "{error}");
        assert!(error.to_string().contains(says), "{error}");
    }
}

#[test]
fn a_customer_has_one_override() {
    let text = |customer: &str| {
        format!(
            "[[overrides]]\nname = \"a\"\ncustomers = [\"C1\"]\n[overrides.decision]\n\
             threshold = 0.9\n[[overrides]]\nname = \"b\"\ncustomers = [\"{customer}\"]\n\
             [overrides.decision]\nthreshold = 0.8\n"
        )
    };
    assert_eq!(recipe(&text("C2")).overrides.len(), 2);
    assert_eq!(error(&text("C1")).line(), Some(10));
}

#[test]
fn threshold_and_margin_follow_from_costs() {
    let costs = "[decision]\ncost_of_wrong = \"250\"\ncost_of_review = \"5\"\n";
    let policy = recipe(costs).policy().clone();
    assert!((policy.threshold - 0.98).abs() < 1e-9);
    assert!((policy.margin - 0.9796).abs() < 1e-9);
    let given = recipe(&format!("{costs}threshold = 0.999\n"));
    assert!((given.policy().threshold - 0.999).abs() < 1e-9);
}

fn treat(recipe: &Recipe, answers: &Answers, day: &str) -> (Policy, Treatment) {
    let mut policies = Policies::of(recipe);
    let day = Date::parse_iso(day.as_bytes()).unwrap();
    let treatment = policies.find(recipe, Treatment::of(recipe, answers, 0, day));
    (policies.get(treatment.policy).clone(), treatment)
}

#[test]
fn each_day_has_its_version() {
    let recipe = recipe(
        "effective_from = 2026-01-01\neffective_to = 2026-03-31\n[decision]\nmargin = 0.25\n\
         [[versions]]\nversion = 2\neffective_from = 2026-04-01\n[versions.decision]\n\
         threshold = 0.9\n",
    );
    let of = |day| treat(&recipe, &Answers::default(), day);
    assert_eq!(of("2026-03-31").0.version, 1);
    let (later, treatment) = of("2026-04-01");
    assert_eq!((later.version, treatment.undated), (2, false));
    assert!((later.threshold - 0.9).abs() < 1e-9);
    assert!((later.margin - 0.25).abs() < 1e-9, "what is not set stays");
    assert!(of("2025-12-31").1.undated);
}

#[test]
fn the_first_rule_that_holds_says_and_the_last_override() {
    let recipe = recipe(
        "[[rules]]\nname = \"a\"\nwhen = \"a\"\nhold = \"held_by_rule\"\n\
         [[rules]]\nname = \"b\"\nwhen = \"b\"\n[rules.decision]\nthreshold = 0.6\n\
         [[overrides]]\nname = \"c\"\nwhen = \"c\"\n[overrides.decision]\nthreshold = 0.7\n\
         margin = 0.1\n\
         [[overrides]]\nname = \"d\"\nwhen = \"d\"\n[overrides.decision]\nmargin = 0.2\n",
    );
    let yes = |said: bool| Some(arrow::array::BooleanArray::from(vec![said]));
    let of = |rules: [bool; 2], overrides: [bool; 2]| {
        let answers = Answers {
            rules: rules.map(yes).to_vec(),
            overrides: overrides.map(yes).to_vec(),
            ..Answers::default()
        };
        treat(&recipe, &answers, "2026-01-01")
    };
    let (policy, treatment) = of([true, true], [true, false]);
    assert_eq!(treatment.action(&recipe), Action::Hold(Reason::HeldByRule));
    assert!((policy.threshold - 0.7).abs() < 1e-9);
    let (policy, treatment) = of([false, true], [true, true]);
    assert_eq!(treatment.action(&recipe), Action::Decide);
    assert!(
        (policy.threshold - 0.6).abs() < 1e-9,
        "a rule is the last word"
    );
    assert!((policy.margin - 0.2).abs() < 1e-9);
    assert_eq!(of([false; 2], [false; 2]).0, *recipe.policy());
}
