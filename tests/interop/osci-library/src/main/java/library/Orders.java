package library;

import de.osci.osci12.messagetypes.*;
import java.util.function.Consumer;

/** Orders of the library that carry no content. */
public final class Orders {
    private Orders() { }

    public static Dialog.Order fetch(int mode, String rule) {
        return handler -> {
            FetchDelivery order = new FetchDelivery(handler);
            order.setSelectionMode(mode);
            if (rule != null) order.setSelectionRule(rule);
            return order.send();
        };
    }

    public static Dialog.Order cards(Consumer<FetchProcessCard> rule) {
        return handler -> {
            FetchProcessCard order = new FetchProcessCard(handler);
            rule.accept(order);
            return order.send();
        };
    }
}
